import { Dialog, showDialog } from '@jupyterlab/apputils';
import React, { useCallback, useRef, useState } from 'react';
import type { ApiKey, EndpointInfo, EndpointUsage, IssuedKey } from '../api/types';
import { showKey } from '../dialogs/api-key';
import type { IAction } from '../live/action';
import { NOTHING, utc } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { Code } from '../parts/code';
import { Part } from '../parts/page';
import { Problem } from '../parts/states';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Until } from '../parts/times';
import { currentDeployment, exampleRow } from './deployments';
import { keyStatus, limitWords, usageWords } from './key-fields';
import { KeyForm, RotateForm } from './key-form';
import { LimitsForm } from './limits-form';

/** How often usage is asked for. */
const LIVE_MILLISECONDS = 2000;

/** What is being asked below the keys. */
type Asked = { what: 'new' } | { what: 'limits' | 'rotate'; key: ApiKey };

/** Who may call, how much, and how. Keys are shown without their secret, which nobody has but the client. */
export function Clients(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const { trans } = useSurroundings();
  const usage = useOperation(
    'serving.get_usage',
    { endpoint: endpoint.name },
    { everyMilliseconds: LIVE_MILLISECONDS }
  );
  return (
    <>
      {usage.error !== undefined && <Problem error={usage.error} onRetry={usage.retry} />}
      <Part title={trans.__('Keys')}>
        <Keys endpoint={endpoint} usage={usage.data} />
      </Part>
      <Part
        title={trans.__('Limits of the endpoint')}
        note={trans.__('for all clients together; above them the answer is 429, 413 or 503')}
      >
        <LimitsForm endpoint={endpoint} usage={usage.data} />
      </Part>
      <Part title={trans.__('How to call it')}>
        <p className="jp-snapml-quiet">
          {trans.__('Put the key into the environment variable SNAPML_API_KEY first.')}
        </p>
        <Code text={curlSnippet(endpoint)} language="shell" label="curl" />
        <Code text={pythonSnippet(endpoint)} label="Python" />
      </Part>
    </>
  );
}

function Keys(props: {
  endpoint: EndpointInfo;
  usage: EndpointUsage | undefined;
}): React.ReactElement {
  const { endpoint } = props;
  const { trans } = useSurroundings();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [isAll, setAll] = useState(false);
  const opener = useRef<HTMLElement | null>(null);
  const revoke = useRevoke();
  const open = (next: Asked) => {
    opener.current = document.activeElement as HTMLElement | null;
    setAsked(next);
  };
  const close = useCallback(() => {
    setAsked(null);
    opener.current?.focus();
  }, []);
  const used = new Map(props.usage?.keys.map(each => [each.key_id, each.n_today]));
  const now = Date.now();
  // Notebooks make keys for themselves and revoke them as they end: those pile up.
  const opens = (key: ApiKey) => keyStatus(key, now, trans).condition === 'good';
  const shown = isAll ? endpoint.keys : endpoint.keys.filter(opens);
  const nOver = endpoint.keys.filter(key => !opens(key)).length;
  return (
    <>
      {revoke.error !== undefined && <Problem error={revoke.error} />}
      <div className="jp-snapml-keys">
        <Table
          label={trans.__('Keys of %1', endpoint.name)}
          columns={[
            { label: trans.__('Client') },
            { label: trans.__('Key') },
            { label: trans.__('State') },
            { label: trans.__('May') },
            { label: trans.__('Limits') },
            { label: trans.__('Today'), isNumber: true },
            { label: trans.__('Expires') },
            { label: trans.__('Action') }
          ]}
          rowKeys={shown.map(key => key.key_id)}
          rows={shown.map(key => {
            const status = keyStatus(key, now, trans);
            return [
              key.client,
              <code key="id" title={trans.__('made %1', utc(key.created_at))}>
                {key.key_id}
              </code>,
              <Status key="state" {...status} showWord />,
              key.scopes.join(', '),
              limitWords(key, trans),
              <span key="used" title={trans.__('Requests that were let through today (UTC).')}>
                {usageWords(used.get(key.key_id), key.quota_per_day, trans)}
              </span>,
              key.revoked_at !== null ? (
                NOTHING
              ) : key.expires_at === null ? (
                trans.__('never')
              ) : (
                <Until key="until" at={key.expires_at} />
              ),
              key.revoked_at === null && (
                <span key="actions" className="jp-snapml-row-actions">
                  <RowButton
                    label={trans.__('Limits…')}
                    name={trans.__('Limits of %1', key.client)}
                    onClick={() => open({ what: 'limits', key })}
                  />
                  {status.condition === 'good' && (
                    <RowButton
                      label={trans.__('Rotate…')}
                      name={trans.__('Rotate the key of %1', key.client)}
                      onClick={() => open({ what: 'rotate', key })}
                    />
                  )}
                  <RowButton
                    label={trans.__('Revoke…')}
                    name={trans.__('Revoke the key of %1', key.client)}
                    onClick={() => void revoke.run(key)}
                  />
                </span>
              )
            ];
          })}
        />
      </div>
      <div className="jp-snapml-actions">
        <button
          type="button"
          className="jp-mod-styled"
          aria-expanded={asked?.what === 'new'}
          onClick={() => open({ what: 'new' })}
        >
          {trans.__('New key…')}
        </button>
        {nOver > 0 && (
          <button
            type="button"
            className="jp-snapml-link"
            aria-pressed={isAll}
            onClick={() => setAll(!isAll)}
          >
            {isAll
              ? trans.__('Hide revoked and expired keys')
              : trans._n(
                  'Show %1 revoked or expired key',
                  'Show %1 revoked or expired keys',
                  nOver
                )}
          </button>
        )}
      </div>
      {asked !== null && (
        <Form
          key={asked.what === 'new' ? 'new' : `${asked.what} ${asked.key.key_id}`}
          endpoint={endpoint}
          asked={asked}
          close={close}
        />
      )}
    </>
  );
}

/** What was asked for, and the calls that do it; a new key is shown this once. */
function Form(props: {
  endpoint: EndpointInfo;
  asked: Asked;
  close: () => void;
}): React.ReactElement {
  const { asked, close } = props;
  const { name } = props.endpoint;
  const { snapml, trans } = useSurroundings();
  const issue = async (call: Promise<IssuedKey>) => {
    const issued = await call;
    close();
    await showKey(name, issued.api_key, trans);
  };
  switch (asked.what) {
    case 'new':
      return (
        <KeyForm
          title={trans.__('New key for %1', name)}
          label={trans.__('Make key')}
          close={close}
          save={(texts, limits) =>
            issue(
              snapml.client.call('serving.create_key', {
                endpoint: name,
                client: texts.client.trim(),
                scopes: [...texts.scopes],
                ...limits
              })
            )
          }
        />
      );
    case 'limits':
      return (
        <KeyForm
          title={trans.__('Limits of %1 (%2)', asked.key.client, asked.key.key_id)}
          label={trans.__('Change')}
          apiKey={asked.key}
          close={close}
          save={async (_, limits) => {
            await snapml.client.call('serving.change_key', {
              key_id: asked.key.key_id,
              ...limits
            });
            close();
          }}
        />
      );
    case 'rotate':
      return (
        <RotateForm
          apiKey={asked.key}
          close={close}
          save={overlap =>
            issue(
              snapml.client.call('serving.rotate_key', {
                key_id: asked.key.key_id,
                overlap_seconds: overlap
              })
            )
          }
        />
      );
  }
}

function useRevoke(): IAction<[ApiKey]> {
  const { snapml, trans } = useSurroundings();
  return useAction(
    useCallback(
      async (key: ApiKey) => {
        const { button } = await showDialog({
          title: trans.__('Revoke the key of %1?', key.client),
          body: trans.__(
            'Requests with this key are refused from then on. It cannot be made valid again.'
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label: trans.__('Revoke') })
          ]
        });
        if (button.accept) {
          await snapml.client.call('serving.revoke_key', { key_id: key.key_id });
        }
      },
      [snapml, trans]
    )
  );
}

function RowButton(props: {
  label: string;
  name: string;
  onClick: () => void;
}): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-snapml-link"
      aria-label={props.name}
      title={props.name}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

function curlSnippet(endpoint: EndpointInfo): string {
  // A quote inside single quotes ends them, is written itself, and opens them again.
  const body = JSON.stringify({ rows: [exampleRow(currentDeployment(endpoint)?.signature)] });
  return [
    `curl ${endpoint.url ?? '<address>'} \\`,
    '  -H "Authorization: Bearer $SNAPML_API_KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '${body.replace(/'/g, "'\\''")}'`
  ].join('\n');
}

function pythonSnippet(endpoint: EndpointInfo): string {
  return [
    'import snapml_jupyter as snap',
    '',
    `endpoint = snap.endpoint(${JSON.stringify(endpoint.name)})`,
    'endpoint.predict(df)'
  ].join('\n');
}
