// A form: its button, what it failed with beyond single fields, and the word that it was saved.
import type { ComponentChildren } from 'preact';
import { isProblem } from '@user-api/client';
import type { Action } from '../action';
import { Failure } from './failure';

interface Props {
  readonly action: Action<[]>;
  readonly submit: string;
  readonly isDisabled?: boolean;
  readonly isDanger?: boolean;
  readonly isSaved?: boolean;
  readonly more?: ComponentChildren;
  /** The pointers that fields of the form show themselves. */
  readonly shown?: readonly string[];
  readonly children: ComponentChildren;
}

export function Form({ action, submit, isDisabled = false, isDanger = false, isSaved = false, more, shown = [], children }: Props) {
  const { error, faults, isBusy } = action;
  const others = [...faults].filter(([pointer]) => !shown.some((each) => pointer === each || pointer.startsWith(`${each}/`)));
  const isAtFields = faults.size > 0 && others.length === 0;
  // A conflict is shown by whoever can settle it.
  const isConflict = isProblem(error, 'stale_version');
  const run = (event: Event): void => {
    event.preventDefault();
    void action.run();
  };
  return (
    <form onSubmit={run} noValidate>
      <fieldset class="plain" disabled={isDisabled || isBusy}>
        {children}
        {error !== undefined && !isAtFields && !isConflict && <Failure error={error} />}
        {others.map(([pointer, detail]) => (
          <p class="fault" key={pointer}>
            <code>{pointer.slice(2)}</code> {detail}
          </p>
        ))}
        <div class="form-foot">
          <button type="submit" class={isDanger ? 'button button-danger' : 'button button-main'}>
            {isBusy ? 'One moment…' : submit}
          </button>
          {more}
          <span role="status" class="saved">
            {isSaved && !isBusy && error === undefined ? 'Saved' : ''}
          </span>
        </div>
      </fieldset>
    </form>
  );
}
