//! The function table and the parser agree.

use crate::*;

#[test]
fn every_function_of_the_table_can_be_called() {
    for def in Func::all() {
        let known = match def.receiver {
            laktory_core::Receiver::Method => {
                reference::expression_method_names().any(|name| name == def.path)
            }
            laktory_core::Receiver::Function => {
                def.path.starts_with("sql.")
                    || reference::function_names().any(|name| name == def.path)
            }
            laktory_core::Receiver::Operator => true,
        };
        assert!(known, "{}", def.path);
    }
    assert!(reference::method_names().count() > 30);
    assert!(reference::is_inspection("columns"));
}
