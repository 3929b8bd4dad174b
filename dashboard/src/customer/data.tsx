// A copy of everything, and the end of everything.
import { ErasureCard } from '../erasure/card';
import { ExportCard } from '../export/card';
import { Page } from '../parts/page';
import { session } from '../sources';
import { useResource } from '../store';

export function Data() {
  const who = useResource(session);
  return (
    <Page title="Export and erasure" lead="Your data is yours: take a copy of all of it, or have it destroyed. Both are for the owner of the customer.">
      <ExportCard customerId={who.data?.customerId} />
      <ErasureCard />
    </Page>
  );
}
