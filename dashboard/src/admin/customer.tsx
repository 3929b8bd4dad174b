// One customer, as an administrator sees it: profile, status, usage, erasure and log, each by itself.
import { useMemo } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import { api } from '../api';
import { AuditLog } from '../audit/view';
import { Standing } from '../customer/profile';
import { Card, Fact, Facts } from '../parts/card';
import { Loaded } from '../parts/loaded';
import { Page } from '../parts/page';
import { ofCustomer } from '../sources';
import { useResource } from '../store';
import { Policies } from '../usage/policies';
import { ErasureOf } from './erasure';
import { StatusActions } from './status';

export function AdminCustomer({ customerId }: { customerId: string }) {
  const sources = useMemo(() => ofCustomer(customerId), [customerId]);
  const whole = useResource(sources.customer);
  const usage = useResource(sources.usage);
  const erasure = useResource(sources.erasure);
  const read = (query: object) => api().get('/admin/customers/{customerId}/audit', { path: { customerId }, query });
  if (isProblem(whole.error, 'customer_erased')) {
    return (
      <Page title={customerId} lead={<a href="#/admin">All customers</a>}>
        <Loaded of={erasure} what="the erasure" lines={5}>
          {() => <ErasureOf customerId={customerId} of={erasure} />}
        </Loaded>
      </Page>
    );
  }
  return (
    <Page title={whole.data?.displayName ?? whole.data?.name ?? customerId} lead={<a href="#/admin">All customers</a>} actions={whole.data !== undefined && <StatusActions of={whole.data} put={whole.put} />}>
      <ErasureOf customerId={customerId} of={erasure} />
      <div class="columns">
        <Card title="Customer">
          <Loaded of={whole} what="the customer" lines={7}>
            {(data) => <Standing of={data} />}
          </Loaded>
        </Card>
        <div>
          <Card title="Profile">
            <Loaded of={whole} what="the profile" lines={4}>
              {({ name, companyName, displayName, metadata }) => (
                <Facts>
                  <Fact name="Name">{name}</Fact>
                  <Fact name="Company">{companyName}</Fact>
                  <Fact name="Display name">{displayName}</Fact>
                  {Object.entries(metadata).map(([key, value]) => (
                    <Fact name={key} key={key}>
                      {value}
                    </Fact>
                  ))}
                </Facts>
              )}
            </Loaded>
          </Card>
          <Card title="Limits">
            <Loaded of={usage} what="the usage" lines={4}>
              {({ policies }) => <Policies policies={policies} />}
            </Loaded>
          </Card>
        </div>
      </div>
      <Card title="Audit log">
        <AuditLog read={read} />
      </Card>
    </Page>
  );
}
