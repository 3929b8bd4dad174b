// Usage in three cards: what is left, today, and thirty days.
import { Card } from '../parts/card';
import { Loaded } from '../parts/loaded';
import type { Usage } from '../sources';
import type { Resource } from '../store';
import { Policies } from './policies';
import { Routes } from './routes';

export function UsageCards({ usage }: { usage: Resource<Usage> }) {
  const again = (
    <button type="button" class="copy" onClick={usage.reload} disabled={usage.isLoading}>
      Refresh
    </button>
  );
  return (
    <>
      <Card title="Limits" actions={again}>
        <Loaded of={usage} what="the limits" lines={4}>
          {(data) => <Policies policies={data.policies} />}
        </Loaded>
      </Card>
      {usage.error === undefined && (
        <div class="columns">
          <Card title="Today">
            <Loaded of={usage} what="today’s requests" lines={5}>
              {(data) => <Routes counts={data.today} />}
            </Loaded>
          </Card>
          <Card title="30 days">
            <Loaded of={usage} what="the requests of 30 days" lines={5}>
              {(data) => <Routes counts={data.last30Days} />}
            </Loaded>
          </Card>
        </div>
      )}
    </>
  );
}
