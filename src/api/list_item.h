/* Items of SQL lists in options: "a, year(b) AS y, \"c,d\"". */
#ifndef API_LIST_ITEM_H
#define API_LIST_ITEM_H

#include "base/arena.h"
#include "base/span.h"

/* The text up to the next comma outside of quotes and brackets, without blanks around it. False at
 * the end. */
bool list_item_next(const char **list, span *item);
/* One word, keyword or not. */
bool list_item_is_word(span item);
/* Names with dots between, or one name in double quotes: a column, or a part of one. */
bool list_item_is_path(span item);
/* Of lists of columns alone: the column's name, out of its quotes; NULL: the item begins with a
 * quoted name and goes on. */
nrw_status list_item_column(arena *a, span item, const char **name, nrw_error *err) NRW_CHECKED;
/* What the item is called: its name behind AS, or itself where it is a word or in quotes; else
 * empty. */
nrw_status list_item_name(arena *a, span item, span *out, nrw_error *err) NRW_CHECKED;

#endif
