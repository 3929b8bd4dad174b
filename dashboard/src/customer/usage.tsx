// Usage against limits.
import { Page } from '../parts/page';
import { usage } from '../sources';
import { useResource } from '../store';
import { UsageCards } from '../usage/cards';

export function UsageView() {
  const read = useResource(usage);
  return (
    <Page title="Usage and limits" lead="What is used of each limit at this moment, and what was called by everybody on this customer. Days are counted in UTC.">
      <UsageCards usage={read} />
    </Page>
  );
}
