/* The steps that nearly all values take, without any failure. Internal to the Avro folder. */
#ifndef AVRO_ORDINARY_H
#define AVRO_ORDINARY_H

#include "format/avro/program.h"

/* Carries out steps from `at` on, up to `end` at most, and returns the first that it left alone:
 * one of a kind that it does not know, near the end of the block, of damage, or with a slot that
 * has to grow. av_run and slots then are as if that step had not been looked at. `records`: the
 * steps up to `end` are a whole record; where it is complete the next one follows, if r->left says
 * so. */
uint32_t av_ordinary(av_run *r, const av_step *steps, uint32_t at, uint32_t end, bool records);

#endif
