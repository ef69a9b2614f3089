"""The statements that make the tables, migration by migration. Released ones are never edited."""

from __future__ import annotations

TABLES_0001 = (
    """CREATE TABLE environments (
        digest TEXT PRIMARY KEY,
        content TEXT NOT NULL
    ) STRICT""",
    # `metrics_event_id` is the run's newest event about metrics; the next one takes its place, so that a training loop
    # does not fill the events table.
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        experiment TEXT NOT NULL,
        status TEXT NOT NULL,
        actor TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        duration_seconds REAL,
        seed INTEGER,
        note TEXT,
        source TEXT NOT NULL,
        environment_digest TEXT REFERENCES environments(digest),
        error TEXT,
        process TEXT,
        metrics_event_id INTEGER
    ) STRICT""",
    "CREATE INDEX runs_that_run ON runs(run_id) WHERE status = 'running'",
    "CREATE INDEX runs_by_start ON runs(started_at)",
    "CREATE INDEX runs_by_name ON runs(name, started_at)",
    """CREATE TABLE run_params (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run_id, name)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE run_tags (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run_id, name)
    ) STRICT, WITHOUT ROWID""",
    # A NULL value is NaN: SQLite keeps NaN as NULL.
    """CREATE TABLE run_metrics (
        point_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        name TEXT NOT NULL,
        step INTEGER NOT NULL,
        value REAL,
        logged_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX run_metrics_by_name ON run_metrics(run_id, name, step)",
    """CREATE TABLE run_latest_metrics (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        name TEXT NOT NULL,
        step INTEGER NOT NULL,
        value REAL,
        PRIMARY KEY (run_id, name)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX run_latest_metrics_by_value ON run_latest_metrics(name, value)",
    """CREATE TABLE run_artifacts (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        path TEXT NOT NULL,
        digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        PRIMARY KEY (run_id, path)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE datasets (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE dataset_versions (
        name TEXT NOT NULL REFERENCES datasets(name),
        number INTEGER NOT NULL,
        digest TEXT NOT NULL,
        manifest_digest TEXT NOT NULL,
        n_rows INTEGER NOT NULL,
        n_columns INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        added_bytes INTEGER NOT NULL,
        columns TEXT NOT NULL,
        message TEXT,
        parent_number INTEGER,
        run_id TEXT REFERENCES runs(run_id),
        profile_digest TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (name, number),
        UNIQUE (name, digest)
    ) STRICT""",
    "CREATE INDEX dataset_versions_by_digest ON dataset_versions(digest)",
    # Column chunks by the digest of their content, and the blob (a pack of many chunks) that holds each.
    """CREATE TABLE packs (
        pack_number INTEGER PRIMARY KEY,
        digest TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE chunks (
        digest TEXT PRIMARY KEY,
        pack_number INTEGER NOT NULL REFERENCES packs(pack_number),
        start_byte INTEGER NOT NULL,
        n_bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE run_inputs (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        variable TEXT NOT NULL,
        dataset_name TEXT NOT NULL,
        dataset_number INTEGER NOT NULL,
        PRIMARY KEY (run_id, variable),
        FOREIGN KEY (dataset_name, dataset_number) REFERENCES dataset_versions(name, number)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX run_inputs_by_dataset ON run_inputs(dataset_name, dataset_number)",
    """CREATE TABLE run_models (
        run_id TEXT PRIMARY KEY REFERENCES runs(run_id),
        variable TEXT NOT NULL,
        estimator TEXT NOT NULL,
        format TEXT NOT NULL,
        model_digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        signature TEXT NOT NULL,
        written_by TEXT NOT NULL,
        training_ref TEXT
    ) STRICT""",
    """CREATE TABLE models (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE model_versions (
        name TEXT NOT NULL REFERENCES models(name),
        number INTEGER NOT NULL,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        stage TEXT NOT NULL,
        metrics TEXT NOT NULL,
        onnx_digest TEXT,
        parity TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (name, number)
    ) STRICT""",
    "CREATE INDEX model_versions_by_run ON model_versions(run_id)",
    """CREATE TABLE model_aliases (
        name TEXT NOT NULL,
        alias TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (name, alias),
        FOREIGN KEY (name, number) REFERENCES model_versions(name, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE endpoints (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        removed_at TEXT
    ) STRICT""",
    """CREATE TABLE deployments (
        endpoint TEXT NOT NULL REFERENCES endpoints(name),
        number INTEGER NOT NULL,
        model_name TEXT NOT NULL,
        model_number INTEGER NOT NULL,
        status TEXT NOT NULL,
        share_fraction REAL NOT NULL,
        failure TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (endpoint, number),
        FOREIGN KEY (model_name, model_number) REFERENCES model_versions(name, number)
    ) STRICT""",
    """CREATE TABLE api_keys (
        key_id TEXT PRIMARY KEY,
        endpoint TEXT NOT NULL REFERENCES endpoints(name),
        client TEXT NOT NULL,
        key_hash TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT""",
    # Without a reference of its own a monitor follows the live deployment: the training data of its model version.
    # `last_window` is the number of the newest window, so that looking for late labels needs no other table.
    """CREATE TABLE monitors (
        endpoint TEXT PRIMARY KEY REFERENCES endpoints(name),
        reference_ref TEXT,
        window_rows INTEGER NOT NULL,
        last_window INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        error TEXT,
        failed_at TEXT
    ) STRICT""",
    # What a model answers on the reference rows, as an Arrow blob: computed once, compared with every window.
    """CREATE TABLE reference_answers (
        onnx_digest TEXT NOT NULL,
        dataset_digest TEXT NOT NULL,
        answers_digest TEXT NOT NULL,
        PRIMARY KEY (onnx_digest, dataset_digest)
    ) STRICT, WITHOUT ROWID""",
    # One row per closed window; `report` is a DriftReport, `profile_digest` the whylogs profile of the window,
    # `answers_digest` an Arrow blob of request keys and predictions that labels are joined with.
    """CREATE TABLE monitor_windows (
        endpoint TEXT NOT NULL REFERENCES monitors(endpoint),
        number INTEGER NOT NULL,
        model_ref TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT NOT NULL,
        n_rows INTEGER NOT NULL,
        n_labels INTEGER NOT NULL,
        n_correct INTEGER NOT NULL,
        report TEXT NOT NULL,
        profile_digest TEXT,
        answers_digest TEXT,
        PRIMARY KEY (endpoint, number)
    ) STRICT""",
    # The prediction log: Arrow batches as blobs, in the order they were taken in; `window` once they are judged.
    """CREATE TABLE prediction_batches (
        endpoint TEXT NOT NULL REFERENCES endpoints(name),
        batch TEXT NOT NULL,
        deployment INTEGER NOT NULL,
        digest TEXT NOT NULL,
        n_rows INTEGER NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT NOT NULL,
        window INTEGER,
        PRIMARY KEY (endpoint, batch)
    ) STRICT""",
    """CREATE INDEX prediction_batches_waiting ON prediction_batches(endpoint, deployment, n_rows, ended_at, window)
        WHERE window IS NULL""",
    # `label` is JSON. A label waits until the window with its prediction is closed; `searched_through` is the last
    # window in which it was looked for, so that an unknown request id costs one look per window.
    """CREATE TABLE feedback (
        endpoint TEXT NOT NULL REFERENCES endpoints(name),
        request_id TEXT NOT NULL,
        row_number INTEGER NOT NULL,
        label TEXT NOT NULL,
        received_at TEXT NOT NULL,
        window INTEGER,
        is_correct INTEGER,
        searched_through INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (endpoint, request_id, row_number)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX feedback_waiting ON feedback(endpoint, searched_through) WHERE window IS NULL",
    "CREATE INDEX feedback_by_window ON feedback(endpoint, window, is_correct) WHERE window IS NOT NULL",
    """CREATE TABLE alerts (
        alert_id TEXT PRIMARY KEY,
        endpoint TEXT NOT NULL REFERENCES endpoints(name),
        rule TEXT NOT NULL,
        message TEXT NOT NULL,
        state TEXT NOT NULL,
        raised_at TEXT NOT NULL,
        resolved_at TEXT
    ) STRICT""",
    # A condition that stays is one alert, whoever looks how often.
    "CREATE UNIQUE INDEX alerts_unresolved ON alerts(endpoint, rule) WHERE state <> 'resolved'",
    """CREATE TABLE events (
        event_id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        actor TEXT NOT NULL,
        at TEXT NOT NULL,
        details TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE audit_log (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        actor TEXT NOT NULL,
        operation TEXT NOT NULL,
        subject TEXT NOT NULL,
        details TEXT NOT NULL,
        previous_digest TEXT NOT NULL,
        digest TEXT NOT NULL
    ) STRICT""",
    # Not tamper-proof, but it turns a slip (an UPDATE by hand) into an error; the chain shows what was done on purpose.
    """CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)

TABLES_0002 = (
    "ALTER TABLE dataset_versions ADD COLUMN source TEXT",
    # Figures of the chunk's values, so that two versions are described side by side without reading what they share.
    "ALTER TABLE chunks ADD COLUMN figures BLOB",
    """CREATE TABLE dataset_aliases (
        name TEXT NOT NULL,
        alias TEXT NOT NULL,
        number INTEGER NOT NULL,
        set_at TEXT NOT NULL,
        set_by TEXT NOT NULL,
        PRIMARY KEY (name, alias),
        FOREIGN KEY (name, number) REFERENCES dataset_versions(name, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE dataset_derivations (
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        from_name TEXT NOT NULL,
        from_number INTEGER NOT NULL,
        PRIMARY KEY (name, number, from_name, from_number)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX dataset_derivations_by_origin ON dataset_derivations(from_name, from_number)",
    # Expectation suites of a dataset: each edit is the next number.
    """CREATE TABLE suites (
        name TEXT NOT NULL REFERENCES datasets(name),
        number INTEGER NOT NULL,
        content TEXT NOT NULL,
        proposed_from TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (name, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE validations (
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        suite_number INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        report TEXT NOT NULL,
        checked_at TEXT NOT NULL,
        PRIMARY KEY (name, number, suite_number),
        FOREIGN KEY (name, number) REFERENCES dataset_versions(name, number)
    ) STRICT, WITHOUT ROWID""",
)

TABLES_0003 = (
    # A run that was started inside of another one, such as a trial of a search.
    "ALTER TABLE runs ADD COLUMN parent_run_id TEXT REFERENCES runs(run_id)",
    "CREATE INDEX runs_by_parent ON runs(parent_run_id) WHERE parent_run_id IS NOT NULL",
    # One row a metric of a run, with its latest value (NULL is NaN), which lists and sorting read; `logged_us` is when its
    # newest point was logged, in microseconds since 1970.
    """CREATE TABLE run_metric_series (
        series_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        name TEXT NOT NULL,
        n_points INTEGER NOT NULL,
        step INTEGER NOT NULL,
        value REAL,
        logged_us INTEGER NOT NULL,
        UNIQUE (run_id, name)
    ) STRICT""",
    "CREATE INDEX run_metric_series_by_value ON run_metric_series(name, value)",
    # The points of a series in the order they were logged, many to a row, so that one costs a fraction of a microsecond:
    # all steps, then all values, then all times (microseconds), 8 bytes each, little-endian.
    """CREATE TABLE run_metric_chunks (
        series_id INTEGER NOT NULL REFERENCES run_metric_series(series_id),
        chunk INTEGER NOT NULL,
        n_points INTEGER NOT NULL,
        points BLOB NOT NULL,
        PRIMARY KEY (series_id, chunk)
    ) STRICT""",
    # How far each journal of the workspace is in the tables above.
    """CREATE TABLE run_metric_journals (
        journal TEXT PRIMARY KEY,
        folded_bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
)

TABLES_0004 = (
    # What a recorded cell needs to run again (JSON), and what it left (a blob).
    """CREATE TABLE run_programs (
        run_id TEXT PRIMARY KEY REFERENCES runs(run_id),
        program TEXT NOT NULL,
        written_by TEXT NOT NULL,
        outcome_digest TEXT
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE run_program_blobs (
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        digest TEXT NOT NULL,
        PRIMARY KEY (run_id, digest)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE replays (
        replay_number INTEGER PRIMARY KEY,
        original_run_id TEXT NOT NULL REFERENCES runs(run_id),
        run_id TEXT,
        verdict TEXT NOT NULL,
        report TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX replays_by_original ON replays(original_run_id)",
    "CREATE INDEX replays_by_run ON replays(run_id)",
)

TABLES_0005 = (
    "ALTER TABLE endpoints ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
    # Where workers count what was used of a limit, in memory that they share; free again when the key is revoked.
    "ALTER TABLE endpoints ADD COLUMN limit_slot INTEGER",
    "ALTER TABLE deployments ADD COLUMN arm TEXT NOT NULL DEFAULT 'champion'",
    # The share that it gets when it becomes live, and when it first did: rolling back goes to the one before.
    "ALTER TABLE deployments ADD COLUMN wanted_share REAL NOT NULL DEFAULT 1.0",
    "ALTER TABLE deployments ADD COLUMN live_at TEXT",
    "UPDATE deployments SET live_at = created_at WHERE status IN ('live', 'retired')",
    "ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'predict,feedback'",
    "ALTER TABLE api_keys ADD COLUMN expires_at TEXT",
    "ALTER TABLE api_keys ADD COLUMN rate_per_second REAL",
    "ALTER TABLE api_keys ADD COLUMN quota_per_day INTEGER",
    "ALTER TABLE api_keys ADD COLUMN limit_slot INTEGER",
    # `plan`, `judgements` and `progress` (what the judge has counted so far) are JSON.
    """CREATE TABLE rollouts (
        endpoint TEXT NOT NULL,
        deployment INTEGER NOT NULL,
        champion INTEGER NOT NULL,
        plan TEXT NOT NULL,
        state TEXT NOT NULL,
        step INTEGER NOT NULL,
        step_started_at TEXT NOT NULL,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        judgements TEXT NOT NULL DEFAULT '[]',
        progress TEXT,
        reason TEXT,
        ended_at TEXT,
        PRIMARY KEY (endpoint, deployment),
        FOREIGN KEY (endpoint, deployment) REFERENCES deployments(endpoint, number)
    ) STRICT""",
    "CREATE UNIQUE INDEX rollouts_running ON rollouts(endpoint) WHERE state = 'running'",
)

TABLES_0006 = (
    """CREATE TABLE gate_outcomes (
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        outcome_number INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        n_checks INTEGER NOT NULL,
        n_failed INTEGER NOT NULL,
        checks TEXT NOT NULL,
        gates TEXT NOT NULL,
        duration_seconds REAL NOT NULL,
        checked_at TEXT NOT NULL,
        checked_by TEXT NOT NULL,
        PRIMARY KEY (name, number, outcome_number),
        FOREIGN KEY (name, number) REFERENCES model_versions(name, number)
    ) STRICT""",
)

TABLES_0007 = (
    # Those of small tables, which hold the rows as well; all others are blobs.
    """CREATE TABLE dataset_manifests (
        digest TEXT PRIMARY KEY,
        content TEXT NOT NULL
    ) STRICT""",
)
