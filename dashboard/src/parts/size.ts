// Numbers of bytes as people say them.
const UNITS = ['bytes', 'kB', 'MB', 'GB'] as const;
const WHOLE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function size(bytes: number): string {
  const unit = bytes < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** unit;
  return `${(unit === 0 || value >= 100 ? WHOLE : SHORT).format(value)} ${UNITS[unit]}`;
}
