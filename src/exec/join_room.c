#include "exec/join_room.h"

#define MANY  3u                     /* passes that cost more than a cut */
#define FIXED ((uint64_t)320u << 10) /* what a worker needs beside a table, about */

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
