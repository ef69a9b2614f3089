import {
  Dialog,
  Notification,
  ReactWidget,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';
import React from 'react';
import { sentence } from '../api/errors';
import type { DeployOutcome, EndpointInfo, HostStatus, ModelVersion } from '../api/types';
import type { ISurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import { showKey } from './api-key';

/** What is known before the person decides. */
interface IPlan {
  version: ModelVersion;
  host: HostStatus;
  endpoints: readonly EndpointInfo[];
}

/**
 * Ask, deploy, show the key, open the endpoint.
 *
 * The dialog says what will happen; while it happens a notification stands in the corner, and nothing is blocked.
 */
export async function deploy(ref: string, surroundings: ISurroundings): Promise<void> {
  const { snapml, trans, commands } = surroundings;
  let plan: IPlan;
  try {
    const [version, host, endpoints] = await Promise.all([
      snapml.client.call('registry.get_model', { ref }),
      snapml.client.call('serving.get_host_status'),
      snapml.client.call('serving.list_endpoints')
    ]);
    plan = { version, host, endpoints };
  } catch (error) {
    await showErrorMessage(trans.__('%1 cannot be deployed', ref), sentence(error, trans));
    return;
  }
  const body = new DeployBody(plan, surroundings);
  const { button } = await showDialog<string>({
    title: trans.__('Deploy %1', plan.version.ref),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.createButton({
        label: trans.__('Insert as cell'),
        caption: trans.__('Put the magic that does this into the notebook, to run it yourself'),
        accept: false,
        actions: ['insert']
      }),
      Dialog.okButton({ label: trans.__('Deploy') })
    ]
  });
  const endpoint = body.getValue().trim() || plan.version.name;
  if (button.actions.includes('insert')) {
    await commands.execute(CommandIDs.insertCell, { code: magicOf(plan.version, endpoint) });
    return;
  }
  if (button.accept) {
    await run(plan.version, endpoint, surroundings);
  }
}

async function run(
  version: ModelVersion,
  endpoint: string,
  surroundings: ISurroundings
): Promise<void> {
  const { snapml, trans, commands } = surroundings;
  const notice = Notification.emit(
    trans.__('Deploying %1 to the endpoint %2…', version.ref, endpoint),
    'in-progress',
    { autoClose: false }
  );
  let outcome: DeployOutcome;
  try {
    outcome = await snapml.client.call('serving.deploy', { model_ref: version.ref, endpoint });
  } catch (error) {
    Notification.dismiss(notice);
    await showErrorMessage(trans.__('%1 was not deployed', version.ref), sentence(error, trans));
    return;
  }
  const { failure, status } = outcome.deployment;
  if (status === 'failed') {
    Notification.dismiss(notice);
    await showErrorMessage(trans.__('%1 was not deployed', version.ref), failure ?? '');
  } else {
    Notification.update({
      id: notice,
      message: trans.__('%1 answers at the endpoint %2.', version.ref, endpoint),
      type: 'success',
      autoClose: 5000
    });
  }
  if (outcome.api_key !== null) {
    await showKey(endpoint, outcome.api_key, trans);
  }
  await commands.execute(CommandIDs.open, { kind: 'endpoint', ref: endpoint });
}

/** The magic that does the same. */
export function magicOf(version: ModelVersion, endpoint: string): string {
  return endpoint === version.name
    ? `%snap_deploy ${version.ref}`
    : `%snap_deploy ${version.ref} --endpoint ${endpoint}`;
}

class DeployBody extends ReactWidget implements Dialog.IBodyWidget<string> {
  constructor(
    private readonly plan: IPlan,
    private readonly surroundings: ISurroundings
  ) {
    super();
    this._name = plan.version.name;
  }

  getValue(): string {
    return this._name;
  }

  protected override render(): React.ReactElement {
    return (
      <DeployForm
        plan={this.plan}
        trans={this.surroundings.trans}
        onChange={name => {
          this._name = name;
        }}
      />
    );
  }

  private _name: string;
}

function DeployForm(props: {
  plan: IPlan;
  trans: ISurroundings['trans'];
  onChange: (name: string) => void;
}): React.ReactElement {
  const { plan, trans } = props;
  const [name, setName] = React.useState(plan.version.name);
  return (
    <div className="jp-snapml-deploy">
      <label className="jp-snapml-field">
        <span>{trans.__('Endpoint')}</span>
        <input
          type="text"
          className="jp-mod-styled"
          value={name}
          spellCheck={false}
          onChange={event => {
            setName(event.target.value);
            props.onChange(event.target.value);
          }}
        />
      </label>
      <p>{trans.__('What will happen:')}</p>
      <ol aria-live="polite">
        {steps(plan, name.trim() || plan.version.name, trans).map(step => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </div>
  );
}

/** The deployment in sentences, for the name typed so far. */
export function steps(plan: IPlan, name: string, trans: ISurroundings['trans']): string[] {
  const { version, host } = plan;
  const existing = plan.endpoints.find(endpoint => endpoint.name === name);
  const live = existing?.deployments.find(deployment => deployment.status === 'live');
  const said: string[] = [];
  if (version.onnx_digest === null) {
    said.push(
      trans.__(
        '%1 is exported to ONNX and must answer like the model on rows of its training data.',
        version.ref
      )
    );
  }
  if (!host.running) {
    said.push(trans.__('The host of this workspace is started in the background.'));
  }
  if (live?.model_ref === version.ref) {
    said.push(trans.__('%1 already answers at %2; it is loaded again.', version.ref, name));
  } else if (live) {
    said.push(
      trans.__(
        '%1 goes on answering at %2 until %3 has answered a test request, then %3 takes over.',
        live.model_ref,
        name,
        version.ref
      )
    );
  } else {
    said.push(
      trans.__('The endpoint %1 answers with %2, only to clients with a key.', name, version.ref)
    );
  }
  if (!existing?.keys.some(key => key.revoked_at === null)) {
    said.push(trans.__('An API key is made and shown to you once.'));
  }
  return said;
}
