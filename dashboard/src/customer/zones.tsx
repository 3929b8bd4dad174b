// The time zones that this browser knows, to choose from while one types.
export const ZONES = 'time-zones';

export function ZoneList() {
  return (
    <datalist id={ZONES}>
      {Intl.supportedValuesOf('timeZone').map((zone) => (
        <option value={zone} key={zone} />
      ))}
    </datalist>
  );
}
