// A button that copies a text, and says that it did.
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon';

const SHOWN_MS = 2_000;

/** Copies; where the browser has no clipboard for this page (plain http), by way of a selection. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    // A modal dialog lets nothing outside it be selected.
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function Copy({ text, what, isSmall = false }: { text: string; what: string; isSmall?: boolean }) {
  const [state, setState] = useState<'' | 'Copied' | 'Not copied'>('');
  useEffect(() => {
    const timer = setTimeout(() => setState(''), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const click = async (): Promise<void> => setState((await copy(text)) ? 'Copied' : 'Not copied');
  return (
    <button type="button" class={isSmall ? 'copy' : 'button'} onClick={click} aria-label={`Copy ${what}`}>
      <Icon name={state === 'Copied' ? 'check' : 'copy'} />
      {(!isSmall || state !== '') && <span>{state === '' ? 'Copy' : state}</span>}
      <span class="unseen" role="status">
        {state}
      </span>
    </button>
  );
}
