/* A value as people see it in a table: one line, no control characters, at most SHOW_COLUMNS
 * columns wide. */
#ifndef FORMAT_TEXT_SHOW_H
#define FORMAT_TEXT_SHOW_H

#include "column/type.h"

#define SHOW_COLUMNS 60

typedef struct show_cell {
    uint32_t width; /* columns of the terminal */
    uint32_t len;   /* bytes */
    uint8_t text[SHOW_COLUMNS * 16];
} show_cell;

void show_text(const uint8_t *p, size_t n, bool ascii, show_cell *out);
void show_value(const type *t, span value, bool ascii, show_cell *out);
/* "int64", "varchar", "decimal(12,2)" */
void show_type(const type *t, bool ascii, show_cell *out);

#endif
