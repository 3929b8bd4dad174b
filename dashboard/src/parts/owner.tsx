// What only the owner of the customer may do: other users are told so, and the service is not asked.
import type { ComponentChildren } from 'preact';
import { session } from '../sources';
import { useShown } from '../store';

/** Whether the user is the owner; undefined until that is known. */
export function useOwner(): boolean | undefined {
  return useShown(session).data?.isOwner;
}

export function ForOwner({ what, children }: { what: string; children: ComponentChildren }) {
  if (useOwner() === false) {
    return (
      <p>
        Only the owner of this customer can {what}: whoever signs in with the customer’s own e-mail address. You are another of its users.
      </p>
    );
  }
  return <>{children}</>;
}
