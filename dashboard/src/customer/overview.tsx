// The first page: who the customer is, what is left of its limits, what happened last. All read at once.
import { Entry } from '../audit/entry';
import { folded } from '../audit/words';
import { Badge, Plan } from '../parts/badge';
import { Card, Fact, Facts } from '../parts/card';
import { Copy } from '../parts/copy';
import { Loaded } from '../parts/loaded';
import { Page } from '../parts/page';
import { Time } from '../parts/time';
import { customer, recent, usage } from '../sources';
import { useResource } from '../store';
import { Policies } from '../usage/policies';

export function Overview() {
  const who = useResource(customer);
  const left = useResource(usage);
  const log = useResource(recent);
  return (
    <Page title="Overview">
      <div class="columns columns-even">
        <Card title="Customer" actions={<a href="#/profile">Edit</a>}>
          <Loaded of={who} what="the customer" lines={6}>
            {(data) => (
              <>
                <p class="name">{data.displayName ?? data.companyName ?? data.name ?? data.email}</p>
                <Facts>
                  <Fact name="Customer id">
                    <code>{data.customerId}</code> <Copy text={data.customerId} what="the customer id" isSmall />
                  </Fact>
                  <Fact name="E-mail">{data.email}</Fact>
                  <Fact name="Status">
                    <Badge state={data.status} />
                  </Fact>
                  <Fact name="Plan">
                    <Plan plan={data.plan} />
                  </Fact>
                  <Fact name="Customer since">
                    <Time at={data.createdAt} />
                  </Fact>
                </Facts>
              </>
            )}
          </Loaded>
        </Card>
        <Card title="Limits" actions={<a href="#/usage">Usage</a>}>
          <Loaded of={left} what="the usage" lines={4}>
            {(data) => <Policies policies={data.policies} />}
          </Loaded>
        </Card>
      </div>
      <Card title="What happened last" actions={<a href="#/audit">The whole log</a>}>
        <Loaded of={log} what="the log" lines={5}>
          {(data) => (
            <ol class="entries">
              {folded(data.data).map((fold) => (
                <Entry fold={fold} key={fold.entry.seq} />
              ))}
            </ol>
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
