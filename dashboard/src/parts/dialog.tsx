// A dialog on top of the page. The browser keeps the focus in it, and Escape closes it.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon';

interface Props {
  readonly title: string;
  readonly close: () => void;
  /** Whether it must be closed by a decision, for what it shows does not come again. */
  readonly isSticky?: boolean;
  readonly children: ComponentChildren;
}

export function Dialog({ title, close, isSticky = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  const cancel = (event: Event): void => {
    event.preventDefault();
    if (!isSticky) {
      close();
    }
  };
  // Browsers let a second Escape through whatever `cancel` says.
  const hold = (event: KeyboardEvent): void => {
    if (isSticky && event.key === 'Escape') {
      event.preventDefault();
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={cancel} onKeyDown={hold}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {!isSticky && (
          <button type="button" class="copy" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
