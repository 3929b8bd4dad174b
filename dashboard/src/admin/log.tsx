// What operators did that concerns no single customer.
import { api } from '../api';
import { AuditLog } from '../audit/view';
import { OPERATOR_ACTIONS } from '../audit/words';
import { Page } from '../parts/page';

const read = (query: object) => api().get('/admin/audit', { query });

export function OperatorLog() {
  return (
    <Page title="Operators’ log" lead="What administrators and services did that concerns no single customer. What they did to one stands in that customer’s own log.">
      <div class="card">
        <AuditLog read={read} actions={OPERATOR_ACTIONS} />
      </div>
    </Page>
  );
}
