// The way to every page, who is signed in, and the way out. On a phone it folds away.
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './parts/icon';
import type { Session } from './sources';
import type { Resource } from './store';
import { ADMIN_VIEWS, CUSTOMER_VIEWS } from './views';
import type { View } from './views';

interface Props {
  readonly path: string;
  readonly session: Resource<Session>;
  readonly isAdmin: boolean;
  /** Forgets the pasted token; there is none to forget with a cookie. */
  readonly leave: (() => void) | undefined;
}

export function Navigation({ path, session, isAdmin, leave }: Props) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <header class={isOpen ? 'side side-open' : 'side'}>
      <div class="side-in">
        <div class="brand">
          <a href="#/" class="brand-name">
            <span class="brand-mark" aria-hidden="true" />
            user-api
          </a>
          <button type="button" class="copy menu" aria-expanded={isOpen} aria-controls="menu" onClick={() => setOpen(!isOpen)}>
            <Icon name={isOpen ? 'close' : 'menu'} />
            <span>Menu</span>
          </button>
        </div>
        <nav id="menu" aria-label="Pages">
          <Group title="Your account" views={CUSTOMER_VIEWS} path={path} />
          {isAdmin && <Group title="Administration" views={ADMIN_VIEWS} path={path} />}
          <div class="who">
            {session.data !== undefined && (
              <p>
                Signed in as <code>{session.data.userId}</code>
              </p>
            )}
            {leave !== undefined && (
              <button type="button" class="copy" onClick={leave}>
                <Icon name="out" />
                <span>Sign out</span>
              </button>
            )}
          </div>
        </nav>
      </div>
    </header>
  );
}

function isAt(view: View, path: string): boolean {
  return path === view.path || (view.path === '/admin' && path.startsWith('/admin/customers/'));
}

function Group({ title, views, path }: { title: string; views: readonly View[]; path: string }) {
  return (
    <>
      <p class="nav-title">{title}</p>
      <ul class="nav">
        {views.map((view) => (
          <li key={view.path}>
            <a href={`#${view.path}`} aria-current={isAt(view, path) ? 'page' : undefined}>
              <Icon name={view.icon} />
              {view.name}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
