//! The keys of each type of orchestrator, and of the mappings below them that people write by hand.
//!
//! Those of the workspace's own objects are the field names of its public SDK and of its Terraform provider, in both
//! numbers where these differ (`job_cluster`, `job_clusters`).

/// Keys that every orchestrator has.
const COMMON: &[&str] = &[
    "type",
    "variables",
    "dataframe_backend",
    "dataframe_api",
    "resource_name",
    "resource_options",
    "options",
    "lookup_existing",
];

const LAKEFLOW_JOB: &[&str] = &[
    "name",
    "config_file",
    "node_max_retries",
    "serverless_environment_version",
    "data_profiling_config_task",
    "access_controls",
    "name_prefix",
    "name_suffix",
    "always_running",
    "budget_policy_id",
    "clusters",
    "continuous",
    "control_run_state",
    "dbt_task",
    "deployment",
    "description",
    "duration_target",
    "edit_mode",
    "email_notifications",
    "environment",
    "environments",
    "environment_variables",
    "existing_cluster_id",
    "format",
    "git_source",
    "health",
    "job_cluster",
    "job_clusters",
    "libraries",
    "library",
    "max_concurrent_runs",
    "max_retries",
    "min_retry_interval_millis",
    "new_cluster",
    "notebook_task",
    "notification_settings",
    "parameter",
    "parameters",
    "parent_path",
    "performance_target",
    "pipeline_task",
    "python_wheel_task",
    "queue",
    "retry_on_timeout",
    "run_as",
    "run_job_task",
    "schedule",
    "spark_jar_task",
    "spark_python_task",
    "spark_submit_task",
    "tags",
    "task",
    "tasks",
    "timeout_seconds",
    "timeouts",
    "trigger",
    "triggers",
    "usage_policy_id",
    "webhook_notifications",
];

const LAKEFLOW_DECLARATIVE_PIPELINE: &[&str] = &[
    "name",
    "config_file",
    "access_controls",
    "name_prefix",
    "name_suffix",
    "allow_duplicate_names",
    "budget_policy_id",
    "catalog",
    "channel",
    "cluster",
    "clusters",
    "configuration",
    "continuous",
    "creator_user_name",
    "deployment",
    "development",
    "edition",
    "environment",
    "event_log",
    "filters",
    "gateway_definition",
    "ingestion_definition",
    "libraries",
    "library",
    "notification",
    "notifications",
    "parent_path",
    "photon",
    "restart_window",
    "root_path",
    "run_as",
    "schema",
    "schema_",
    "serverless",
    "serverless_compute_id",
    "storage",
    "tags",
    "target",
    "timeouts",
    "trigger",
    "usage_policy_id",
];

const SPARK_DECLARATIVE_PIPELINE: &[&str] = &[
    "catalog",
    "schema",
    "schema_",
    "database",
    "configuration",
    "storage",
    "storage_",
];

const AIRFLOW: &[&str] = &[
    "description",
    "doc_md",
    "dag_display_name",
    "schedule",
    "start_date",
    "end_date",
    "dagrun_timeout",
    "max_active_tasks",
    "max_active_runs",
    "max_consecutive_failed_dag_runs",
    "catchup",
    "is_paused_upon_creation",
    "render_template_as_native_obj",
    "auto_register",
    "fail_fast",
    "disable_bundle_versioning",
    "default_args",
    "user_defined_macros",
    "user_defined_filters",
    "jinja_environment_kwargs",
    "template_searchpath",
    "access_control",
    "owner_links",
    "tags",
];

/// The types of orchestrators with their own keys.
pub(crate) const TYPES: [(&str, &[&str]); 4] = [
    ("LAKEFLOW_JOB", LAKEFLOW_JOB),
    (
        "LAKEFLOW_DECLARATIVE_PIPELINE",
        LAKEFLOW_DECLARATIVE_PIPELINE,
    ),
    ("SPARK_DECLARATIVE_PIPELINE", SPARK_DECLARATIVE_PIPELINE),
    ("AIRFLOW", AIRFLOW),
];

/// The keys of an orchestrator of a type.
pub(crate) fn of(kind: &str) -> impl Iterator<Item = &'static str> + Clone {
    let own = TYPES
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(&[][..], |(_, keys)| *keys);
    own.iter().chain(COMMON).copied()
}

const CLUSTER: &[&str] = &[
    "job_cluster_key",
    "new_cluster",
    "label",
    "name",
    "apply_policy_default_values",
    "autoscale",
    "autotermination_minutes",
    "aws_attributes",
    "azure_attributes",
    "gcp_attributes",
    "cluster_log_conf",
    "cluster_name",
    "custom_tags",
    "data_security_mode",
    "docker_image",
    "driver_instance_pool_id",
    "driver_node_type_id",
    "enable_elastic_disk",
    "enable_local_disk_encryption",
    "init_scripts",
    "instance_pool_id",
    "is_single_node",
    "kind",
    "libraries",
    "library",
    "node_type_id",
    "num_workers",
    "policy_id",
    "runtime_engine",
    "single_user_name",
    "spark_conf",
    "spark_env_vars",
    "spark_version",
    "ssh_public_keys",
    "use_ml_runtime",
    "workload_type",
];

const NOTIFIED: &[&str] = &[
    "no_alert_for_skipped_runs",
    "on_duration_warning_threshold_exceeded",
    "on_failure",
    "on_start",
    "on_streaming_backlog_exceeded",
    "on_success",
];

const LIBRARY: &[&str] = &[
    "cran",
    "egg",
    "file",
    "glob",
    "jar",
    "maven",
    "notebook",
    "pypi",
    "requirements",
    "whl",
];

/// Mappings, or lists of mappings, by the key they stand under. These lists grow with the workspace, so that what is like
/// none of its names passes.
const NESTED: [(&str, &[&str]); 25] = [
    (
        "access_controls",
        &[
            "group_name",
            "permission_level",
            "service_principal_name",
            "user_name",
        ],
    ),
    ("autoscale", &["max_workers", "min_workers", "mode"]),
    ("cluster", CLUSTER),
    ("clusters", CLUSTER),
    (
        "config_file",
        &[
            "access_controls",
            "content_base64",
            "dirpath",
            "md5",
            "object_id",
            "path",
            "render_vars",
            "source",
        ],
    ),
    ("continuous", &["pause_status", "task_retry_mode"]),
    ("deployment", &["kind", "metadata_file_path"]),
    ("email_notifications", NOTIFIED),
    ("environment", &["dependencies", "environment_key", "spec"]),
    ("environments", &["environment_key", "spec"]),
    ("event_log", &["catalog", "name", "schema"]),
    (
        "git_source",
        &[
            "branch",
            "commit",
            "git_branch",
            "git_commit",
            "git_provider",
            "git_tag",
            "git_url",
            "provider",
            "tag",
            "url",
        ],
    ),
    ("job_cluster", CLUSTER),
    ("job_clusters", CLUSTER),
    ("libraries", LIBRARY),
    ("library", LIBRARY),
    ("new_cluster", CLUSTER),
    ("notification", &["alerts", "email_recipients"]),
    (
        "notification_settings",
        &["no_alert_for_canceled_runs", "no_alert_for_skipped_runs"],
    ),
    ("notifications", &["alerts", "email_recipients"]),
    ("queue", &["enabled"]),
    (
        "run_as",
        &["group_name", "service_principal_name", "user_name"],
    ),
    (
        "schedule",
        &[
            "cron",
            "pause_status",
            "quartz_cron_expression",
            "sql_condition",
            "timezone",
            "timezone_id",
        ],
    ),
    (
        "spec",
        &[
            "base_environment",
            "client",
            "dependencies",
            "environment_version",
            "java_dependencies",
            "project_environment",
        ],
    ),
    ("webhook_notifications", NOTIFIED),
];

/// The key that was meant by one in the mapping under `parent`, when it is none but looks like one.
pub(crate) fn slip(parent: &str, key: &str) -> Option<&'static str> {
    let (_, known) = NESTED.iter().find(|(name, _)| *name == parent)?;
    if known.contains(&key) || key == "variables" {
        return None;
    }
    laktory_syntax::nearest(key, known.iter().copied())
}
