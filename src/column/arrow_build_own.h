/* Inside of building arrays. */
#ifndef COLUMN_ARROW_BUILD_OWN_H
#define COLUMN_ARROW_BUILD_OWN_H

#include "column/arrow_build.h"

/* Values that lie otherwise in Arrow; exactly, or an error. In arrow_change_back.c. */
nrw_status arrow_build_changed(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                               nrw_error *err);

#endif
