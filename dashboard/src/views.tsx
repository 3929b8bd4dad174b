// Which page is where, for the navigation and the address alike.
import type { ComponentChildren } from 'preact';
import { AdminCustomer } from './admin/customer';
import { AdminList } from './admin/list';
import { OperatorLog } from './admin/log';
import { Audit } from './customer/audit';
import { Data } from './customer/data';
import { Keys } from './customer/keys';
import { Overview } from './customer/overview';
import { Profile } from './customer/profile';
import { UsageView } from './customer/usage';
import { UserView } from './customer/user';
import type { IconName } from './parts/icon';
import { Page } from './parts/page';

export interface View {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  readonly show: () => ComponentChildren;
}

export const CUSTOMER_VIEWS: readonly View[] = [
  { path: '/', name: 'Overview', icon: 'home', show: () => <Overview /> },
  { path: '/profile', name: 'Profile', icon: 'profile', show: () => <Profile /> },
  { path: '/user', name: 'You and preferences', icon: 'person', show: () => <UserView /> },
  { path: '/usage', name: 'Usage and limits', icon: 'chart', show: () => <UsageView /> },
  { path: '/keys', name: 'API keys', icon: 'key', show: () => <Keys /> },
  { path: '/audit', name: 'Who looked at my data', icon: 'eye', show: () => <Audit /> },
  { path: '/data', name: 'Export and erasure', icon: 'box', show: () => <Data /> },
];

export const ADMIN_VIEWS: readonly View[] = [
  { path: '/admin', name: 'Customers', icon: 'people', show: () => <AdminList /> },
  { path: '/admin/audit', name: 'Operators’ log', icon: 'list', show: () => <OperatorLog /> },
];

const CUSTOMER = /^\/admin\/customers\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})$/;

export function viewOf(path: string): ComponentChildren {
  const found = [...CUSTOMER_VIEWS, ...ADMIN_VIEWS].find((view) => view.path === path);
  const customerId = CUSTOMER.exec(path)?.[1];
  if (customerId !== undefined) {
    return <AdminCustomer customerId={customerId} key={customerId} />;
  }
  return (
    found?.show() ?? (
      <Page title="Nothing here">
        <p>
          This address leads nowhere. <a href="#/">To the overview</a>
        </p>
      </Page>
    )
  );
}
