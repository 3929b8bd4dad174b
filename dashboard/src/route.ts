// Where one is: the address's fragment, such as `#/audit` or `#/admin/customers/demo`.
import { useEffect, useState } from 'preact/hooks';

/** The path behind `#`, always with a slash in front. */
export function current(): string {
  const path = location.hash.slice(1);
  return path.startsWith('/') ? path : '/';
}

export function go(path: string): void {
  location.hash = path;
}

export function useRoute(): string {
  const [path, setPath] = useState(current);
  useEffect(() => {
    const changed = (): void => setPath(current());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return path;
}
