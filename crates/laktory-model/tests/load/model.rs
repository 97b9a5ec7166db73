//! Documents that load, and what they load to.

use super::*;

#[test]
fn mission_page_loads_byte_for_byte() {
    let page = pipeline(MISSION);
    assert_eq!(page.dataframe_backend.as_deref(), Some("POLARS"));
    let [brz, slv] = page.nodes.as_slice() else {
        panic!("two nodes");
    };
    assert!(matches!(&brz.sources[0].kind, SourceKind::File(file) if file.format == "JSONL"));
    assert_eq!(slv.sources[0].node_name(), Some("brz_stock_prices"));
    let steps = &slv.transformer.as_ref().expect("a transformer").nodes;
    let TransformerNode::Sql(sql) = &steps[0] else {
        panic!("a SQL step");
    };
    assert!(
        sql.expr
            .starts_with("SELECT\n  CAST(data.created_at AS TIMESTAMP)")
    );
    let TransformerNode::Method(method) = &steps[1] else {
        panic!("a method step");
    };
    assert_eq!(method.func_kwargs["keep"], "any");
    let listed = MISSION.replace(
        "  source:\n    path: ./data/stock_prices/\n    format: JSONL",
        "  sources:\n  - path: ./data/stock_prices/\n    format: JSONL",
    );
    assert_ne!(listed, MISSION);
    assert_eq!(pipeline(&listed), page);
    for variant in [format!("\u{feff}{MISSION}"), MISSION.replace('\n', "\r\n")] {
        assert_eq!(pipeline(&variant), page);
    }
}

#[test]
fn mission_page_in_rust_equals_the_yaml() {
    let TransformerNode::Sql(sql) = pipeline(MISSION).nodes[1]
        .transformer
        .as_ref()
        .expect("steps")
        .nodes[0]
        .clone()
    else {
        panic!("a SQL step");
    };
    let brz = PipelineNode::new("brz_stock_prices")
        .source(FileDataSource::new("./data/stock_prices/", "jsonl"))
        .sink(FileDataSink::new(
            "./data/brz_stock_prices.parquet",
            "PARQUET",
        ));
    let slv = PipelineNode::new("slv_stock_prices")
        .source(PipelineNodeDataSource::new("brz_stock_prices"))
        .sql(sql.expr)
        .method(
            DataFrameMethod::new("unique")
                .kwarg("subset", ["symbol", "created_at"])
                .kwarg("keep", "any"),
        )
        .sink(FileDataSink::new(
            "./data/slv_stock_prices.parquet",
            "PARQUET",
        ));
    let built = Pipeline::new("pl-stock-prices")
        .dataframe_backend("polars")
        .node(brz)
        .node(slv);
    assert_eq!(built, pipeline(MISSION));
    assert_eq!(validate(&built), []);
}

#[test]
fn r_model_9_dumps_reload_to_an_equal_model() {
    let first = pipeline(WIDE);
    for text in [
        serde_json::to_string(&first).expect("a dump"),
        serde_json::to_string_pretty(&first).expect("a dump"),
    ] {
        assert_eq!(pipeline(&text), first);
    }
    let node = &first.nodes[0];
    assert_eq!(node.comment.as_deref(), Some("1.10"));
    assert_eq!(node.sinks[2].common.mode, Some(WriteMode::Error));
    assert!(node.sinks[5].common.shared.is_some());
    assert_eq!(node.sinks[2].id(), "a.b.c");
    assert_eq!(node.sources[1].id(), "c.s.t");
    assert_eq!(
        node.primary_sink().map(|sink| sink.id()).as_deref(),
        Some("out")
    );
    assert_eq!(
        node.quarantine_sinks()
            .map(|(at, _)| at)
            .collect::<Vec<_>>(),
        [1]
    );
    let TransformerNode::Method(step) = &node.transformer.as_ref().expect("steps").nodes[1] else {
        panic!("a method step");
    };
    // R-YAML-1 and R-YAML-2.
    assert_eq!(step.func_kwargs["other"], "{nodes.q}");
    assert_eq!(step.func_kwargs["on"], "yes");
}

#[test]
fn r_model_3_null_is_unset_everywhere() {
    let text = "name: p\ndataframe_backend:\ndataframe_api: null\nimports: ~\norchestrator:\nvariables:\nnodes:\n- name: a\n  transformer: null\n  expectations: null\n  sinks:\n  primary_keys:\n  sources:\n  - {path: x, format: CSV, filter: null, drops: null, reader_kwargs: null, schema: null, as_stream: null}\n";
    let plain = "name: p\nnodes: [{name: a, sources: [{path: x, format: CSV}]}]";
    assert_eq!(pipeline(text), pipeline(plain));
}

#[test]
fn a_pipeline_from_code_is_checked_alike() {
    let source = DataSource::from(FileDataSource::new("", "CSV")).filter("x > 1");
    let node = PipelineNode::new("a")
        .source(source)
        .expectation(Expectation::new("e", "sum(x) > 1").action(Action::Fail));
    let found = validate(&Pipeline::new("p").node(node.clone()).node(node));
    let codes: Vec<&str> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            "empty-value",
            "row-expectation",
            "duplicate-node",
            "empty-value",
            "row-expectation"
        ]
    );
    assert_eq!(found[0].path.to_string(), "nodes[0].sources[0].path");
}

#[test]
fn r_tsrc_1_kinds_of_tables() {
    let pipeline = pipeline(&node(
        "sinks: [{table_name: t}, {table_name: u, type: HIVE_METASTORE}]",
    ));
    assert!(matches!(
        pipeline.nodes[0].sinks[0].kind,
        SinkKind::UnityCatalog(_)
    ));
    assert!(matches!(
        pipeline.nodes[0].sinks[1].kind,
        SinkKind::HiveMetastore(_)
    ));
}
