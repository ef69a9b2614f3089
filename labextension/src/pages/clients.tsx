import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import React, { useCallback } from 'react';
import type { ApiKey, EndpointInfo } from '../api/types';
import { showKey } from '../dialogs/api-key';
import { useAction } from '../live/action';
import { Code } from '../parts/code';
import { Part } from '../parts/page';
import { Problem } from '../parts/states';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { currentDeployment, exampleRow } from './deployments';

/** Who may call, and how. Keys are shown without their secret, which nobody has but the client. */
export function Clients(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const { snapml, trans } = useSurroundings();
  const create = useAction(
    useCallback(async () => {
      const { value } = await InputDialog.getText({
        title: trans.__('New key for %1', endpoint.name),
        label: trans.__('Name of the client that will use it:'),
        okLabel: trans.__('Make key')
      });
      if (value) {
        const issued = await snapml.client.call('serving.create_key', {
          endpoint: endpoint.name,
          client: value
        });
        await showKey(endpoint.name, issued.api_key, trans);
      }
    }, [snapml, trans, endpoint.name])
  );
  const revoke = useAction(
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
  return (
    <>
      <Part title={trans.__('Keys')}>
        {create.error !== undefined && <Problem error={create.error} />}
        {revoke.error !== undefined && <Problem error={revoke.error} />}
        <Table
          label={trans.__('Keys of %1', endpoint.name)}
          columns={[
            { label: trans.__('Client') },
            { label: trans.__('Key') },
            { label: trans.__('Made') },
            { label: trans.__('State') },
            { label: trans.__('Action') }
          ]}
          rowKeys={endpoint.keys.map(key => key.key_id)}
          rows={endpoint.keys.map(key => [
            key.client,
            <code key="id">{key.key_id}</code>,
            <Age key="made" at={key.created_at} />,
            key.revoked_at === null ? (
              <Status key="state" condition="good" word={trans.__('valid')} showWord />
            ) : (
              <Status key="state" condition="stopped" word={trans.__('revoked')} showWord />
            ),
            key.revoked_at === null && (
              <button
                key="revoke"
                type="button"
                className="jp-snapml-link"
                onClick={() => void revoke.run(key)}
              >
                {trans.__('Revoke…')}
              </button>
            )
          ])}
        />
        <button
          type="button"
          className="jp-mod-styled"
          disabled={create.isBusy}
          onClick={() => void create.run()}
        >
          {trans.__('New key…')}
        </button>
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
