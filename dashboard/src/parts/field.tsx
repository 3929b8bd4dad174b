// A labelled field with its fault beside it. The first faulty field of a form gets the focus.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface Common {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
}

type Given = Readonly<Record<'id' | 'aria-describedby', string> & { 'aria-invalid': boolean }>;

function Framed({ label, hint, fault, children }: Common & { children: (given: Given) => ComponentChildren }) {
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const first = place.current?.closest('form')?.querySelector<HTMLElement>('[aria-invalid="true"]');
    if (fault !== undefined && place.current?.contains(first ?? null) === true) {
      first?.focus();
    }
  }, [fault]);
  return (
    <div class="field" ref={place}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-more`, 'aria-invalid': fault !== undefined })}
      <div id={`${id}-more`}>
        {hint !== undefined && <p class="hint">{hint}</p>}
        {fault !== undefined && <p class="fault">{fault}</p>}
      </div>
    </div>
  );
}

type InputProps = Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'email' | 'number' | 'date' | 'datetime-local';
  readonly autocomplete?: 'off';
  readonly min?: number;
  /** The id of a list to choose from while one types. */
  readonly list?: string;
};

export function TextField({ label, hint, fault, value, onChange, ...rest }: InputProps) {
  return (
    <Framed label={label} hint={hint} fault={fault}>
      {(given) => (
        <input type="text" {...rest} {...given} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
    </Framed>
  );
}

export function AreaField({ label, hint, fault, value, onChange, rows = 4 }: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number;
}) {
  return (
    <Framed label={label} hint={hint} fault={fault}>
      {(given) => (
        <textarea {...given} rows={rows} spellcheck={false} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
    </Framed>
  );
}

/** One of several; each is a value and its word. */
export function SelectField({ label, hint, fault, value, onChange, options }: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly (readonly [value: string, word: string])[];
}) {
  return (
    <Framed label={label} hint={hint} fault={fault}>
      {(given) => (
        <select {...given} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([each, word]) => (
            <option key={each} value={each}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Framed>
  );
}

export function CheckField({ label, hint, checked, onChange }: {
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="check">
      <input id={id} type="checkbox" checked={checked} aria-describedby={`${id}-more`} onChange={(event) => onChange(event.currentTarget.checked)} />
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-more`}>
        {hint}
      </p>
    </div>
  );
}
