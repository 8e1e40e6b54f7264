/* Every table of functions. A new function is a row in one of them, or a file of its own here. */
#include "expr/function_sets.h"

const function_set *const function_tables[] = {
    &functions_compare,     &functions_logic,     &functions_arith_int,  &functions_arith_decimal,
    &functions_arith_float, &functions_number,    &functions_round,      &functions_bits,
    &functions_interval,    &functions_date_part, &functions_date_trunc, &functions_strftime,
    &functions_text,        &functions_text_part, &functions_like,       &functions_regexp,
    &functions_format,      &functions_size,      &functions_encode,     &functions_similar,
    &functions_list,        &functions_list_make, &functions_list_pick,  &functions_map,
    &functions_bucket,
};

const uint32_t n_function_tables = sizeof function_tables / sizeof *function_tables;
