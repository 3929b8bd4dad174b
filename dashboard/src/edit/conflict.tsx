// Somebody else changed what one was editing: both sides beside each other, and the choice.
import { Time } from '../parts/time';

export interface Difference {
  readonly name: string;
  readonly mine: string;
  readonly theirs: string;
}

interface Props {
  readonly differences: readonly Difference[];
  readonly changedAt?: string;
  readonly isBusy: boolean;
  readonly takeTheirs: () => void;
  readonly keepMine: () => void;
}

export function Conflict({ differences, changedAt, isBusy, takeTheirs, keepMine }: Props) {
  return (
    <div class="conflict" role="alert">
      <p>
        <strong>Somebody else changed this</strong>{changedAt !== undefined && <> at <Time at={changedAt} isExact /></>} while you were editing. Nothing of yours is saved yet.
      </p>
      {differences.length === 0 ? (
        <p>What they made of it is what you wanted, too.</p>
      ) : (
        <table class="compare">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Yours</th>
              <th scope="col">Theirs, as it is now</th>
            </tr>
          </thead>
          <tbody>
            {differences.map(({ name, mine, theirs }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-side="Yours">{mine === '' ? <span class="unset">Not set</span> : mine}</td>
                <td data-side="Theirs">{theirs === '' ? <span class="unset">Not set</span> : theirs}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div class="form-foot">
        <button type="button" class="button" onClick={takeTheirs} disabled={isBusy}>
          Take theirs
        </button>
        <button type="button" class="button button-main" onClick={keepMine} disabled={isBusy}>
          Overwrite with mine
        </button>
      </div>
    </div>
  );
}
