/* The tables of functions, one a file. */
#ifndef EXPR_FUNCTION_SETS_H
#define EXPR_FUNCTION_SETS_H

#include "expr/function.h"

extern const function_set functions_compare, functions_logic;
extern const function_set functions_arith_int, functions_arith_decimal, functions_arith_float;
extern const function_set functions_number, functions_round, functions_bits;
extern const function_set functions_interval, functions_date_part, functions_date_trunc;
extern const function_set functions_strftime, functions_bucket;
extern const function_set functions_text, functions_text_part, functions_like, functions_regexp;
extern const function_set functions_format, functions_size, functions_encode, functions_similar;
extern const function_set functions_list, functions_list_make, functions_list_pick, functions_map;

#endif
