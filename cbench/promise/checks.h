/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of promises.  Each gets a region of its own in state M and returns 1
 * (kept), 0 (not kept), or -errno with the reason in note where that was not tried;
 * -EPROTO: the end state itself is wrong; NOTHING_THERE (probe.h): there is nothing of
 * the kind, so that nobody can lose it.
 */
#ifndef ZAPBENCH_CHECKS_H
#define ZAPBENCH_CHECKS_H

struct region;
struct reason;

/* file.c */
int keeps_cache(struct region *r, struct reason *note);
int keeps_contents(struct region *r, struct reason *note);
int keeps_blocks(struct region *r, struct reason *note);
int keeps_dirty(struct region *r, struct reason *note);

/* lock.c */
int takes_no_write_lock(struct region *r, struct reason *note);

/* private.c */
int keeps_cow(struct region *r, struct reason *note);
int keeps_swapped(struct region *r, struct reason *note);
int keeps_zeropage(struct region *r, struct reason *note);

/* marker.c */
int keeps_wp(struct region *r, struct reason *note);
int keeps_poison(struct region *r, struct reason *note);
int keeps_hwpoison(struct region *r, struct reason *note);
int keeps_guard(struct region *r, struct reason *note);
int keeps_soft_dirty(struct region *r, struct reason *note);

/* mapping.c */
int keeps_registration(struct region *r, struct reason *note);
int sends_no_event(struct region *r, struct reason *note);
int keeps_neighbours(struct region *r, struct reason *note);
int keeps_vmas(struct region *r, struct reason *note);
int keeps_tables(struct region *r, struct reason *note);
int keeps_count(struct region *r, struct reason *note);

/* reach.c */
int keeps_trap(struct region *r, struct reason *note);
int takes_part(struct region *r, struct reason *note);
int takes_mappings(struct region *r, struct reason *note);
int takes_gap(struct region *r, struct reason *note);
int takes_remote(struct region *r, struct reason *note);

/* refuse.c */
int refuses_locked(struct region *r, struct reason *note);
int refuses_part(struct region *r, struct reason *note);
int refuses_mixed(struct region *r, struct reason *note);
int refuses_device(struct region *r, struct reason *note);

#endif
