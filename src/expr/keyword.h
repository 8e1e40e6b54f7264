/* The words of SQL, and where they may be names, as DuckDB has them (its table duckdb_keywords). */
#ifndef EXPR_KEYWORD_H
#define EXPR_KEYWORD_H

#include "base/span.h"

#define KEYWORD_LONGEST 20

typedef enum keyword_kind {
    KEYWORD_NONE,
    KEYWORD_UNRESERVED, /* may be any name */
    KEYWORD_COLUMN,     /* not a function */
    KEYWORD_FUNCTION,   /* a function or type alone */
    KEYWORD_RESERVED    /* no name */
} keyword_kind;

/* Whatever the case of its letters. */
keyword_kind keyword_kind_of(span word);
/* Whether a word behind an expression is its alias without AS. */
bool keyword_is_bare_alias(span word);

#endif
