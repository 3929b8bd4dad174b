// The list of customers, with filters; newest first.
import { useState } from 'preact/hooks';
import { Badge, Plan } from '../parts/badge';
import { Failure } from '../parts/failure';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Time } from '../parts/time';
import { ListFilters, NO_FILTERS } from './filters';
import { useCustomers } from './customers';

export function AdminList() {
  const [filters, setFilters] = useState(NO_FILTERS);
  const { items, isLoading, hasMore, error, more } = useCustomers(filters);
  return (
    <Page title="Customers" lead="Each look at a customer stands in that customer’s own log.">
      <ListFilters filters={filters} change={setFilters} />
      {items.length > 0 && (
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Customer</th>
              <th scope="col">E-mail</th>
              <th scope="col">Plan</th>
              <th scope="col">Status</th>
              <th scope="col">Created</th>
            </tr>
          </thead>
          <tbody>
            {items.map(({ customerId, displayName, email, plan, status, createdAt }) => (
              <tr key={customerId}>
                <th scope="row">
                  <a href={`#/admin/customers/${customerId}`}>{displayName ?? customerId}</a>
                  {displayName !== null && <code class="hint">{customerId}</code>}
                </th>
                <td data-name="E-mail">{email}</td>
                <td data-name="Plan">
                  <Plan plan={plan} />
                </td>
                <td data-name="Status">
                  <Badge state={status} />
                </td>
                <td data-name="Created">
                  <Time at={createdAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {error !== undefined && <Failure error={error} retry={more} />}
      {isLoading && <Skeleton what="customers" lines={items.length === 0 ? 8 : 2} />}
      {!isLoading && error === undefined && (
        <div class="entries-end">
          {hasMore ? (
            <button type="button" class="button" onClick={more}>
              Show more
            </button>
          ) : (
            <p class="hint">{items.length === 0 ? 'No customer fits these filters.' : `${items.length === 1 ? 'One customer' : `${items.length} customers`}, all that fit.`}</p>
          )}
        </div>
      )}
    </Page>
  );
}
