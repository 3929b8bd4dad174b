// The frame: signed in or not, and the page that the address names.
import { useEffect, useState } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import { token, use } from './api';
import { Banner } from './banner';
import { Erased } from './erased';
import { Navigation } from './navigation';
import { useRoute } from './route';
import { SignIn } from './sign-in';
import { session } from './sources';
import { forgetAll, onSignedOut, useResource } from './store';
import { viewOf } from './views';

/** Nobody is signed in (any more), and what the service said to that. */
interface Out {
  readonly error?: unknown;
}

export function App() {
  const [out, setOut] = useState<Out | undefined>(undefined);
  useEffect(() => onSignedOut((error) => setOut({ error })), []);
  const enter = (pasted?: string): void => {
    if (pasted !== undefined) {
      use(pasted);
    }
    forgetAll();
    setOut(undefined);
  };
  const leave = (): void => {
    use(undefined);
    forgetAll();
    setOut({});
  };
  return out === undefined ? <SignedIn leave={leave} /> : <SignIn error={out.error} enter={enter} />;
}

function SignedIn({ leave }: { leave: () => void }) {
  const path = useRoute();
  const who = useResource(session);
  if (isProblem(who.error, 'customer_erased')) {
    return <Erased problem={who.error.problem} leave={leave} />;
  }
  // A token of an administrator may name no customer: then the session cannot be read, but other pages can.
  const isAdmin = who.data?.isAdmin === true || isProblem(who.error, 'customer_not_found');
  return (
    <div class="frame">
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <Navigation path={path} session={who} isAdmin={isAdmin} leave={token() === undefined ? undefined : leave} />
      <main id="content" tabIndex={-1}>
        {!path.startsWith('/admin') && <Banner />}
        {viewOf(path)}
      </main>
    </div>
  );
}

/** The address's fragment is the route, so the link moves the focus itself. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
