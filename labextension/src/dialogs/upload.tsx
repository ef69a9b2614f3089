import {
  Dialog,
  Notification,
  ReactWidget,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';
import React, { useState } from 'react';
import { sentence } from '../api/errors';
import { FileUpload } from '../api/uploads';
import { bytes, percent } from '../format';
import type { ISurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';

/** Endings that the server takes. */
const ENDINGS = ['.csv', '.tsv', '.parquet', '.pq', '.arrow', '.feather', '.ipc'];

interface IChoice {
  file: File | null;
  name: string;
  message: string;
}

/** Ask for a file and a name, then send it in the background: a notification tells how far it is and can pause it. */
export async function upload(surroundings: ISurroundings): Promise<void> {
  const { trans } = surroundings;
  const body = new UploadBody(trans);
  const { button } = await showDialog<IChoice>({
    title: trans.__('Upload a dataset'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Upload') })
    ]
  });
  if (!button.accept) {
    return;
  }
  const { file, name, message } = body.getValue();
  if (file === null) {
    await showErrorMessage(trans.__('Nothing was uploaded'), trans.__('No file was chosen.'));
    return;
  }
  await send(file, name.trim() || nameOf(file.name), message.trim() || null, surroundings);
}

async function send(
  file: File,
  name: string,
  message: string | null,
  surroundings: ISurroundings
): Promise<void> {
  const { snapml, trans, commands } = surroundings;
  const task = new FileUpload(snapml.client, file, window.localStorage);
  const notice = Notification.emit(said(task, trans), 'in-progress', { autoClose: false });
  let shown = '';
  const tell = () => {
    const text = said(task, trans);
    if (text !== shown && task.state !== 'cancelled') {
      shown = text;
      Notification.update({
        id: notice,
        message: text,
        type: task.state === 'broken' ? 'warning' : 'in-progress',
        progress: task.received / Math.max(1, file.size),
        autoClose: false,
        actions: actionsOf(task, trans)
      });
    }
  };
  task.changed.connect(tell);
  try {
    if (!(await task.run())) {
      Notification.dismiss(notice);
      return;
    }
    Notification.update({
      id: notice,
      message: trans.__('%1 is made a version of %2…', file.name, name),
      type: 'in-progress',
      autoClose: false,
      actions: []
    });
    const version = await task.finish(name, message);
    const isFailing = version.validity === 'failed';
    Notification.update({
      id: notice,
      message: isFailing
        ? trans.__('%1 is kept as %2, which fails its expectations.', file.name, version.ref)
        : version.is_new
          ? trans.__('%1 is kept as %2.', file.name, version.ref)
          : trans.__('%1 holds the same data as %2.', file.name, version.ref),
      type: isFailing ? 'warning' : 'success',
      autoClose: 8000,
      actions: [
        {
          label: trans.__('Open'),
          callback: () =>
            void commands.execute(CommandIDs.open, { kind: 'dataset', ref: version.ref })
        }
      ]
    });
  } catch (error) {
    Notification.dismiss(notice);
    await showErrorMessage(trans.__('%1 was not kept', file.name), sentence(error, trans));
    await task.cancel();
  } finally {
    task.changed.disconnect(tell);
  }
}

function said(task: FileUpload, trans: ISurroundings['trans']): string {
  const far = trans.__(
    '%1 of %2, %3',
    bytes(task.received),
    bytes(task.file.size),
    percent(Math.floor((100 * task.received) / Math.max(1, task.file.size)) / 100)
  );
  switch (task.state) {
    case 'paused':
      return trans.__('%1 waits: %2', task.file.name, far);
    case 'broken':
      return trans.__('%1 stopped at %2. %3', task.file.name, far, sentence(task.error, trans));
    default:
      return trans.__('Uploading %1: %2', task.file.name, far);
  }
}

function actionsOf(task: FileUpload, trans: ISurroundings['trans']): Notification.IAction[] {
  /** The notification stays when its button is pressed. */
  const staying = (act: () => void) => (event: MouseEvent) => {
    event.preventDefault();
    act();
  };
  return [
    task.state === 'sending'
      ? { label: trans.__('Pause'), callback: staying(() => task.pause()) }
      : { label: trans.__('Go on'), callback: staying(() => task.resume()) },
    { label: trans.__('Cancel'), callback: staying(() => void task.cancel()) }
  ];
}

/** The name of a dataset that a file name suggests: `Late flights (2013).csv` → `late-flights-2013`. */
export function nameOf(filename: string): string {
  return filename
    .replace(/\.[^.]*$/, '')
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .toLowerCase();
}

class UploadBody extends ReactWidget implements Dialog.IBodyWidget<IChoice> {
  constructor(private readonly trans: ISurroundings['trans']) {
    super();
  }

  getValue(): IChoice {
    return this._choice;
  }

  protected override render(): React.ReactElement {
    return (
      <UploadForm
        trans={this.trans}
        onChange={choice => {
          this._choice = choice;
        }}
      />
    );
  }

  private _choice: IChoice = { file: null, name: '', message: '' };
}

function UploadForm(props: {
  trans: ISurroundings['trans'];
  onChange: (choice: IChoice) => void;
}): React.ReactElement {
  const { trans } = props;
  const [choice, setChoice] = useState<IChoice>({ file: null, name: '', message: '' });
  const [isOver, setOver] = useState(false);
  const change = (fields: Partial<IChoice>) => {
    const next = { ...choice, ...fields };
    setChoice(next);
    props.onChange(next);
  };
  const take = (file: File | null | undefined) => {
    if (file) {
      const isSuggested =
        choice.name === '' || (choice.file !== null && choice.name === nameOf(choice.file.name));
      change({ file, name: isSuggested ? nameOf(file.name) : choice.name });
    }
  };
  return (
    <div className="jp-snapml-upload">
      <label
        className="jp-snapml-drop"
        data-over={isOver || undefined}
        onDragOver={event => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={event => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files[0]);
        }}
      >
        <input
          type="file"
          aria-label={trans.__('File')}
          accept={ENDINGS.join(',')}
          onChange={event => take(event.target.files?.[0])}
        />
        {choice.file === null ? (
          <span>{trans.__('Choose a file, or drop one here')}</span>
        ) : (
          <span>
            {choice.file.name} · {bytes(choice.file.size)}
          </span>
        )}
        <small>{trans.__('CSV, TSV, Parquet, Arrow or Feather')}</small>
      </label>
      <label className="jp-snapml-field">
        <span>{trans.__('Dataset')}</span>
        <input
          type="text"
          className="jp-mod-styled"
          value={choice.name}
          spellCheck={false}
          onChange={event => change({ name: event.target.value })}
        />
        <small>
          {trans.__(
            'It becomes the next version under this name; the same data is not kept twice.'
          )}
        </small>
      </label>
      <label className="jp-snapml-field">
        <span>{trans.__('Message')}</span>
        <input
          type="text"
          className="jp-mod-styled"
          value={choice.message}
          placeholder={trans.__('what changed')}
          onChange={event => change({ message: event.target.value })}
        />
      </label>
    </div>
  );
}
