/* A small JSON text as a tree in an arena: schemas. Internal to the Avro folder. */
#ifndef AVRO_JSON_TREE_H
#define AVRO_JSON_TREE_H

#include "base/arena.h"
#include "base/span.h"

typedef enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;

typedef struct json_node {
    json_kind kind;
    const char *key;  /* in an object; NULL elsewhere */
    const char *text; /* of a string, unescaped and without zero bytes inside; digits of a number */
    struct json_node *first, *next;
} json_node;

/* One value and nothing behind it, nested at most 256 deep. NRW_E_CORRUPT names the character where
 * the text is wrong. The tree takes at most some 40 times the text. */
nrw_status json_tree_parse(arena *a, span text, const json_node **root, nrw_error *err) NRW_CHECKED;
/* The member of an object, the first of that name; NULL: none, or no object. */
const json_node *json_member(const json_node *object, const char *key);
/* Its text where it is a string; else NULL. */
const char *json_member_text(const json_node *object, const char *key);
/* Whether it is a whole number of `out`. */
bool json_whole(const json_node *n, int64_t *out);

#endif
