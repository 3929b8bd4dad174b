// The certificate of an erasure: to keep, and checked here.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CertificateReport, Verdict } from '@user-api/client/verify';
import { useAction } from '../action';
import { checkCertificate } from '../export/check';
import { Fact, Facts } from '../parts/card';
import { Copy } from '../parts/copy';
import { Failure } from '../parts/failure';
import { Icon } from '../parts/icon';
import { Time } from '../parts/time';

/** A name of the certificate's, as words: `apiKeys` is `API keys`. */
const words = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/^api\b/, 'API');

export function Certificate({ text, customerId }: { text: string; customerId?: string }) {
  const [verdict, setVerdict] = useState<Verdict<CertificateReport> | undefined>(undefined);
  const controller = useRef(new AbortController());
  useEffect(() => () => controller.current.abort(), []);
  const check = useAction(async () => setVerdict(await checkCertificate(text, controller.current.signal)));
  const report = verdict?.report;
  const isOther = report !== undefined && customerId !== undefined && report.certificate.customerId !== customerId;
  return (
    <>
      <pre class="secret certificate" tabIndex={0} aria-label="The certificate">
        {text}
      </pre>
      <div class="form-foot">
        <Copy text={text} what="the certificate" />
        {verdict === undefined && (
          <button type="button" class="button" disabled={check.isBusy} onClick={() => void check.run()}>
            {check.isBusy ? 'One moment…' : 'Check it'}
          </button>
        )}
      </div>
      {check.error !== undefined && <Failure error={check.error} />}
      {(verdict?.fault !== undefined || isOther) && (
        <p class="failure" role="alert">
          {isOther ? 'It is the certificate of another customer.' : `It is not genuine: ${verdict?.fault?.text}.`}
        </p>
      )}
      {report !== undefined && !isOther && <Genuine report={report} />}
    </>
  );
}

function Genuine({ report: { kid, certificate } }: { report: CertificateReport }) {
  return (
    <div class="export">
      <p class="verdict verdict-good" role="status">
        <Icon name="check" />
        <strong>Checked: genuine</strong>
      </p>
      <Facts>
        <Fact name="Customer">
          <code>{certificate.customerId}</code>
        </Fact>
        <Fact name="Asked for">
          <Time at={certificate.requestedAt} isExact /> by {certificate.askedBy.kind} <code>{certificate.askedBy.id}</code>
        </Fact>
        <Fact name="Erased">
          <Time at={certificate.erasedAt} isExact />
        </Fact>
        <Fact name="Destroyed">
          {Object.entries(certificate.destroyed)
            .map(([what, count]) => `${count} ${words(what)}`)
            .join(', ')}
        </Fact>
        {certificate.kept.map(({ what, why }) => (
          <Fact name="Kept" key={what}>
            {words(what)}: {why}
          </Fact>
        ))}
        {certificate.notReached.map(({ what, why }) => (
          <Fact name="Not reached" key={what}>
            {words(what)}: {why}
          </Fact>
        ))}
        <Fact name="In backups">
          the key could be there until <Time at={certificate.keyRecoverableUntil} />
        </Fact>
        <Fact name="Signed by">
          key <code>{kid}</code>
        </Fact>
      </Facts>
    </div>
  );
}
