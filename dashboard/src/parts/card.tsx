// A part of a page, under a heading of its own.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface Props {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly isDanger?: boolean;
  readonly children: ComponentChildren;
}

export function Card({ title, actions, isDanger = false, children }: Props) {
  const id = useId();
  return (
    <section class={isDanger ? 'card card-danger' : 'card'} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div class="card-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Names and values. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

/** One of them; a value that was never set says so. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  const isEmpty = children === null || children === undefined || children === '';
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{isEmpty ? <span class="unset">Not set</span> : children}</dd>
    </div>
  );
}
