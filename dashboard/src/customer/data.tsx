// A copy of everything, and the end of everything.
import { ErasureCard } from '../erasure/card';
import { Page } from '../parts/page';
import { customer } from '../sources';
import { useResource } from '../store';

export function Data() {
  const whole = useResource(customer);
  return (
    <Page title="Export and erasure" lead="Your data is yours: take a copy of all of it, or have it destroyed. Both are for the owner of the customer.">
      <ErasureCard customerId={whole.data?.customerId} />
    </Page>
  );
}
