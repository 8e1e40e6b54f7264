#include "exec/join_room.h"

#define MANY  3u                     /* passes that cost more than a cut */
#define SHORT 1024u                  /* rows of a list, at first */
#define LONG  16384u                 /* from which on it grows by less */
#define FIXED ((uint64_t)320u << 10) /* what a worker needs beside a table, about */

uint64_t join_slots(uint64_t rows)
{
    uint64_t n = 1024;

    if (rows > UINT64_MAX / 16)
        return UINT64_MAX;
    while (n < rows)
        n *= 2;
    return n;
}

/* Long lists grow where they are, so little at a time costs nothing. */
uint64_t join_listed(uint64_t had, uint64_t rows)
{
    uint64_t n = had ? had : SHORT;

    while (n < rows)
        n += n < LONG ? n : n / 4;
    return n;
}

uint64_t join_listed_most(uint64_t rows, uint32_t workers)
{
    uint64_t doubled, longer;

    if (rows > UINT64_MAX / 4)
        return UINT64_MAX;
    doubled = 2 * rows + (uint64_t)workers * SHORT;
    longer = rows + rows / 4 + (uint64_t)workers * (LONG / 2);
    return doubled < longer ? doubled : longer;
}

uint64_t join_pass_room(uint64_t memory, uint32_t workers)
{
    uint64_t share = memory * 3 / 8 / workers;

    return share > 2 * FIXED ? share - FIXED : FIXED;
}

uint64_t join_sort_memory(uint64_t memory)
{
    return memory / 2;
}

uint64_t join_sort_merging(uint64_t memory)
{
    return memory * 5 / 8;
}

bool join_is_cut(uint64_t table, uint64_t memory, uint32_t workers)
{
    return table > MANY * join_pass_room(memory, workers);
}
