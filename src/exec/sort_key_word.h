/* Which values are words in a sort's key: for who makes keys and who reads them. */
#ifndef EXEC_SORT_KEY_WORD_H
#define EXEC_SORT_KEY_WORD_H

#include "column/type.h"

static inline bool key_is_signed(const type *t)
{
    switch (t->id) {
    case TYPE_BOOL:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_UINT128:
    case TYPE_FIXED:
    case TYPE_UUID: return false;
    default: return true;
    }
}

static inline bool key_is_float(const type *t)
{
    return t->id == TYPE_FLOAT64 || t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT16;
}

static inline bool key_is_word(const type *t)
{
    return (t->width == 1 || t->width == 2 || t->width == 4 || t->width == 8) &&
           t->id != TYPE_FIXED && t->id != TYPE_INTERVAL && !type_is_view(t);
}

#endif
