// The frame: signed in or not, and the page that the address names.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import type { Problem } from '@user-api/client';
import { renew, takeFragment, takesTokens, token, use } from './api';
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
  // Everything on the page belongs to who is signed in, and goes with them.
  const [round, setRound] = useState(0);
  const begin = (): void => {
    forgetAll();
    setOut(undefined);
    setRound((count) => count + 1);
  };
  const enter = (pasted?: string): void => {
    if (pasted === undefined) {
      renew();
    } else {
      use(pasted);
    }
    begin();
  };
  useEffect(() => onSignedOut((error) => setOut({ error })), []);
  useEffect(() => {
    // An address with a token, opened in a tab that shows the dashboard already, changes the fragment alone.
    const changed = (): void => {
      if (takeFragment() && takesTokens) {
        begin();
      }
    };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  const leave = (): void => {
    use(undefined);
    forgetAll();
    setOut({});
  };
  return out === undefined ? <SignedIn key={round} leave={leave} /> : <SignIn error={out.error} enter={enter} />;
}

function SignedIn({ leave }: { leave: () => void }) {
  const path = useRoute();
  const who = useResource(session);
  // Erased is for ever: also while it is asked again, for the certificate.
  const gone = useRef<Problem | undefined>(undefined);
  if (isProblem(who.error, 'customer_erased')) {
    gone.current = who.error.problem;
  }
  if (gone.current !== undefined) {
    return <Erased problem={gone.current} leave={leave} />;
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
