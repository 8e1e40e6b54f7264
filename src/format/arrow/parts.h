/* Parts of structs as columns that are read alone. The layout of a part is that of its column with
 * one field kept at each level, so reading it reads no other buffers; the structs around it fall
 * away afterwards. Parts inside of lists, dictionaries and runs are none. */
#ifndef ARROW_PARTS_H
#define ARROW_PARTS_H

#include "column/arrow_layout.h"
#include "column/vector.h"

/* Puts the parts behind the columns, both in the schema and in the layouts, which have their places
 * already. (*depths)[c]: so many structs are around what column or part c is. */
nrw_status ipc_parts_add(arena *a, schema *s, arrow_layout **layouts, uint8_t **depths,
                         nrw_error *err) NRW_CHECKED;

/* What was read by a part's layout becomes the values of the part. */
void ipc_part_take(vector *v, uint32_t depth);

#endif
