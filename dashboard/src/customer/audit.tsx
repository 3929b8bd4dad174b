// Who looked at my data: the customer's own log.
import { AuditLog } from '../audit/view';
import { api } from '../api';
import { Page } from '../parts/page';

const read = (query: object) => api().get('/customer/me/audit', { query });

export function Audit() {
  return (
    <Page
      title="Who looked at my data"
      lead="Every read and every change, with who did it and when; refusals too. Entries are chained by hashes, so that none can be changed or taken out unnoticed."
    >
      <div class="card">
        <AuditLog read={read} />
      </div>
    </Page>
  );
}
