// A log with its filters; further pages come as one scrolls, and by a button for who does not scroll.
import { useEffect, useRef, useState } from 'preact/hooks';
import { CheckField } from '../parts/field';
import { Failure } from '../parts/failure';
import { Skeleton } from '../parts/skeleton';
import { Entry } from './entry';
import { FilterBar } from './filters';
import { MOST_AT_ONCE, useLog } from './log';
import type { ReadPage } from './log';
import { NO_FILTERS, queryOf } from './query';
import { ACTIONS, folded } from './words';

export function AuditLog({ read, actions = ACTIONS }: { read: ReadPage; actions?: Readonly<Record<string, string>> }) {
  const [filters, setFilters] = useState(NO_FILTERS);
  const [isLive, setLive] = useState(false);
  const log = useLog(read, queryOf(filters), isLive);
  const end = useRef<HTMLDivElement>(null);
  const latest = useRef(log);
  latest.current = log;

  useEffect(() => {
    const seen = new IntersectionObserver((found) => {
      const { hasMore, isLoading, error, entries, more } = latest.current;
      // Through what the filters leave out the reader decides to go on, not the scroll bar.
      if (found.some(({ isIntersecting }) => isIntersecting) && hasMore && !isLoading && error === undefined && entries.length > 0) {
        more();
      }
    });
    if (end.current !== null) {
      seen.observe(end.current);
    }
    return () => seen.disconnect();
  }, []);

  return (
    <>
      <FilterBar filters={filters} change={setFilters} actions={actions} />
      <CheckField label="Live" hint="Looks for new entries every 5 seconds. Each look is an entry, too." checked={isLive} onChange={setLive} />
      {log.liveError !== undefined && <Failure error={log.liveError} retry={log.look} what="Looking for new entries" />}
      <p class="hint" role="status">
        {log.isAnew && `More than ${MOST_AT_ONCE} entries came at once; the list begins at the newest again.`}
      </p>
      <ol class="entries" aria-label="Entries, newest first">
        {folded(log.entries).map((fold) => (
          <Entry fold={fold} key={fold.entry.seq} />
        ))}
      </ol>
      {log.error !== undefined && <Failure error={log.error} retry={log.more} />}
      {log.isLoading && <Skeleton what="entries" lines={log.entries.length === 0 ? 6 : 2} />}
      <div ref={end} class="entries-end">
        {!log.isLoading && log.error === undefined && <End log={log} />}
      </div>
    </>
  );
}

function End({ log: { hasMore, entries, more } }: { log: ReturnType<typeof useLog> }) {
  if (hasMore) {
    return (
      <button type="button" class="button" onClick={more}>
        {entries.length === 0 ? 'Nothing so far; look further back' : 'Show older entries'}
      </button>
    );
  }
  return <p class="hint">{entries.length === 0 ? 'No entry fits these filters.' : 'That is the beginning of the log.'}</p>;
}
