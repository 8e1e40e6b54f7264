/* Inside of a dictionary that is built: dict_build.c has its memory, its table and values of bytes,
 * dict_numbers.c numbers. Internal to the Parquet folder. */
#ifndef PARQUET_DICT_OWN_H
#define PARQUET_DICT_OWN_H

#include "format/parquet/dict_build.h"

/* Memory for one more entry; nothing is changed yet, so that a failure leaves no half entry. */
nrw_status pq_dict_entry_room(pq_dict *d, size_t plain, nrw_error *err) NRW_CHECKED;

/* All entries into the table, which is empty. */
void pq_dict_place_numbers(pq_dict *d);

#endif
