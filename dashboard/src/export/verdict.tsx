// What the check of an archive found.
import type { ComponentChildren } from 'preact';
import type { ExportReport, Fault } from '@user-api/client/verify';
import { Fact, Facts } from '../parts/card';
import { Copy } from '../parts/copy';
import { Icon } from '../parts/icon';
import { size } from '../parts/size';
import { Time } from '../parts/time';
import type { Archive } from './run';

const COUNT = new Intl.NumberFormat();

interface Props {
  readonly archive: Archive;
  readonly again: ComponentChildren;
}

function Save({ archive: { url, name } }: { archive: Archive }) {
  return (
    <a class="button" href={url} download={name}>
      Save again
    </a>
  );
}

export function Sound({ report, archive, again }: Props & { report: ExportReport }) {
  const { log } = report;
  return (
    <>
      <p class="verdict verdict-good" role="status">
        <Icon name="check" />
        <strong>Checked: genuine and complete</strong>
      </p>
      <p>
        Every byte of <strong>{archive.name}</strong> is what the service signed, and no entry of the log is missing, changed or out of order.
      </p>
      <Facts>
        <Fact name="Made">
          <Time at={report.madeAt} isExact />
        </Fact>
        <Fact name="Size">
          {size(archive.blob.size)}, {COUNT.format(report.files.length)} files
        </Fact>
        <Fact name="Log">
          {COUNT.format(log.entries)} {log.entries === 1 ? 'entry' : 'entries'}, from <Time at={log.firstAt} /> to <Time at={log.lastAt} />
        </Fact>
        <Fact name="Signed by">
          key <code>{report.kid}</code>
        </Fact>
        <Fact name="End of the log">
          <code>{log.hash}</code> <Copy text={log.checkpoint} what="the signed checkpoint" isSmall />
        </Fact>
        {report.unreadable > 0 && (
          <Fact name="Unreadable">{COUNT.format(report.unreadable)} fields that the service could not open are empty and named in the archive.</Fact>
        )}
      </Facts>
      <p class="hint">
        Checked in this browser, with the keys that the service publishes now. Who would rather not rely on that checks the file with{' '}
        <code>user-api verify</code> and keys of their own keeping.
      </p>
      <div class="form-foot">
        <Save archive={archive} />
        {again}
      </div>
    </>
  );
}

export function FaultOf({ fault, archive, again }: Props & { fault: Fault }) {
  return (
    <div class="failure" role="alert">
      <p class="failure-title">This archive is not what the service signed</p>
      <p>
        Wrong is <strong>{fault.text}</strong>.
      </p>
      <p>
        {archive.name} was saved; do not rely on it. Export again; if that is wrong, too, something changes it on the way: tell whoever runs the service.
      </p>
      <div class="form-foot">{again}</div>
    </div>
  );
}
