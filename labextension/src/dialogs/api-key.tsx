import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

/** Shows a key at the one moment it is known, with a button that copies it. */
export async function showKey(
  endpoint: string,
  key: string,
  trans: TranslationBundle
): Promise<void> {
  await showDialog({
    title: trans.__('API key of %1', endpoint),
    body: ReactWidget.create(<KeyBody apiKey={key} trans={trans} />),
    buttons: [Dialog.okButton({ label: trans.__('I have kept it') })]
  });
}

function KeyBody(props: { apiKey: string; trans: TranslationBundle }): React.ReactElement {
  const { apiKey, trans } = props;
  const [isCopied, setCopied] = useState(false);
  return (
    <div className="jp-snapml-key">
      <p>
        {trans.__(
          'Clients show this key with every request. Copy it now: only its hash is stored, so it cannot be shown again.'
        )}
      </p>
      <code>{apiKey}</code>
      <button
        type="button"
        className="jp-mod-styled"
        onClick={() => {
          Clipboard.copyToSystem(apiKey);
          setCopied(true);
        }}
      >
        {isCopied ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </div>
  );
}
