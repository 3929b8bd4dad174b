// The export of the customer: asked for, on its way, and what the check of it found.
import { Card } from '../parts/card';
import { Failure } from '../parts/failure';
import { ForOwner } from '../parts/owner';
import { size } from '../parts/size';
import { NotChecked } from './check';
import { BrokenOff, TooLarge } from './gather';
import { useExport } from './run';
import type { Export } from './run';
import { Outside } from './outside';
import { FaultOf, Sound } from './verdict';

export function ExportCard({ customerId }: { customerId: string | undefined }) {
  const run = useExport(customerId);
  return (
    <Card title="Export">
      <ForOwner what="export it">
        <p>
          One archive (ZIP) with everything that is kept: the profile, all users and preferences, keys without their secrets, limits, and the whole log. It
          opens with any tool, and it is signed: this page checks that nothing in it was changed or left out.
        </p>
        <div class="export">
          <Stage run={run} />
        </div>
      </ForOwner>
    </Card>
  );
}

function Stage({ run: { stage, begin, end, checkAgain } }: { run: Export }) {
  const again = (words: string) => (
    <button type="button" class="button" onClick={begin}>
      {words}
    </button>
  );
  switch (stage.kind) {
    case 'none':
      return (
        <button type="button" class="button button-main" onClick={begin}>
          Export everything
        </button>
      );
    case 'coming':
      return (
        <Progress words="Downloading" amount={stage.bytes === 0 ? 'the service is gathering it' : `${size(stage.bytes)} so far`} stop={end} />
      );
    case 'checking':
      return <Progress words="Checking" amount={`${Math.floor(stage.share * 100)} % of ${size(stage.archive.blob.size)}`} share={stage.share} stop={end} />;
    case 'checked':
      return stage.verdict.report === undefined ? (
        <FaultOf fault={stage.verdict.fault} archive={stage.archive} again={again('Export again')} />
      ) : (
        <Sound report={stage.verdict.report} archive={stage.archive} again={again('Export again')} />
      );
    case 'unchecked':
      return (
        <>
          <p>
            <strong>{stage.archive.name}</strong> ({size(stage.archive.blob.size)}) is saved, but could not be checked. That says nothing against it.
          </p>
          <Unchecked error={stage.error} retry={checkAgain} />
        </>
      );
    case 'failed':
      return <Failed error={stage.error} begin={begin} />;
  }
}

function Progress({ words, amount, share, stop }: { words: string; amount: string; share?: number; stop: () => void }) {
  return (
    <>
      <p>
        <span role="status">
          <strong>{words}</strong>
        </span>{' '}
        <span class="amount">{amount}</span>
      </p>
      <progress aria-label={words} max={1} {...(share === undefined ? {} : { value: share })} />
      <p class="hint">Stay on this page until it is done.</p>
      <button type="button" class="button" onClick={stop}>
        Stop
      </button>
    </>
  );
}

function Unchecked({ error, retry }: { error: unknown; retry: () => void }) {
  if (!(error instanceof NotChecked)) {
    return <Failure error={error} retry={retry} />;
  }
  return (
    <div class="failure" role="alert">
      <p class="failure-title">The check could not be carried out</p>
      <p>{error.message}. If the service was updated since you opened this page, reload it and export again.</p>
      <button type="button" class="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

function Failed({ error, begin }: { error: unknown; begin: () => void }) {
  if (error instanceof TooLarge) {
    return <Outside />;
  }
  if (error instanceof BrokenOff) {
    return (
      <div class="failure" role="alert">
        <p class="failure-title">The download broke off</p>
        <p>It ended after {size(error.bytes)}; nothing was saved, since a part of an archive proves nothing. It has to begin anew.</p>
        <button type="button" class="button" onClick={begin}>
          Try again
        </button>
      </div>
    );
  }
  return <Failure error={error} retry={begin} />;
}
