/* The corrected Chord (Zave 2017) with atomic operations, joins and failures: a second implementation, which shares
   nothing with the specification in Rust but the published rules. N identifiers, all of them possible nodes; lists of R
   successors: spin -a -DN=5 -DR=2 chord.pml

   One process and one d_step for each step, so that SPIN stores a state of the ring once and nothing in between. What
   is not there is zero: nothing is left of a node that failed, or of a step that is finished. */

#ifndef N
#define N 4
#endif
#ifndef R
#define R 2
#endif
#if N < 3 || N > 6 || R < 2 || R > 4 || R >= N
#error "3 to 6 identifiers, lists of 2 to 4 successors, and a base of R + 1 members"
#endif

#define ABSENT 0
#define IDLE 1
/* About to ask the saved node, the predecessor of the successor. */
#define STABILIZING 2
/* The saved node has notified it. */
#define RECTIFYING 3

byte status[N];
byte pred[N];
byte saved[N];
byte list[N * R];

/* Outside the state. Steps may use them at will; going back does not undo what a d_step made of them. */
hidden byte i, j, after;
hidden byte absent;

#define LIST(n, k) list[(n) * R + (k)]
#define FIRST(n) LIST(n, 0)
#define LIVE(n) (status[n] != ABSENT)
/* Clockwise from a to b; from a to a it is everything else. */
#define BETWEEN(a, x, b) ((a) < (b) -> (a) < (x) && (x) < (b) : (a) < (x) || (x) < (b))

/* A member has no saved node unless it is in the middle of something. */
inline finish(n) {
  status[n] = IDLE;
  saved[n] = 0
}

/* A notified node rectifies later. A later notification takes the place of an earlier one, and that of a stabilization
   which is not finished; one to a dead node is lost. */
inline notify(notified, by) {
  if
  :: LIVE(notified) -> status[notified] = RECTIFYING; saved[notified] = by
  :: else
  fi
}

/* Node n takes h, then what h says follows it. From the end on, as nothing is to be overwritten before it is read. */
inline adopt(n, h) {
  j = R - 1;
  do
  :: j > 0 -> LIST(n, j) = LIST(h, j - 1); j--
  :: else -> break
  od;
  FIRST(n) = h
}

/* A node joins between a member and its first successor. */
#define MAY_JOIN(n, via) (!LIVE(n) && LIVE(via) && BETWEEN(via, n, FIRST(via)))

inline join(n, via) {
  for (j : 0 .. R - 1) { LIST(n, j) = LIST(via, j) }
  pred[n] = via;
  status[n] = IDLE
}

/* Whether asking the successor changes nothing: it is alive, its list is copied already, its predecessor is no better
   one, and it has n's notification. Such a step is none. */
#define COPIED(n, s, k) (k >= R || LIST(n, k) == LIST(s, k - 1))
#define IN_VAIN(n, s) (LIVE(s) && !BETWEEN(n, pred[s], s) && status[s] == RECTIFYING && saved[s] == n \
  && COPIED(n, s, 1) && COPIED(n, s, 2) && COPIED(n, s, 3))

#define MAY_ASK_SUCCESSOR(n) (status[n] == IDLE && !IN_VAIN(n, FIRST(n)))

inline ask_successor(n) {
  i = FIRST(n);
  if
  :: !LIVE(i) ->
    /* The tail, and the identifier after the last, whoever that is. */
    for (j : 1 .. R - 1) { LIST(n, j - 1) = LIST(n, j) }
    LIST(n, R - 1) = (LIST(n, R - 1) + 1) % N;
    i = FIRST(n);
    notify(i, n)
  :: else ->
    adopt(n, i);
    if
    :: BETWEEN(n, pred[i], i) -> status[n] = STABILIZING; saved[n] = pred[i]
    :: else -> notify(i, n)
    fi
  fi
}

#define MAY_ASK_SAVED(n) (status[n] == STABILIZING)

inline ask_saved(n) {
  i = saved[n];
  assert(BETWEEN(n, i, FIRST(n)));
  finish(n);
  if
  :: LIVE(i) -> adopt(n, i)
  :: else -> i = FIRST(n)
  fi;
  notify(i, n)
}

#define MAY_RECTIFY(n) (status[n] == RECTIFYING)

inline rectify(n) {
  if
  :: BETWEEN(pred[n], saved[n], n) || !LIVE(pred[n]) -> pred[n] = saved[n]
  :: else
  fi;
  finish(n)
}

/* For every identifier; thrice, as no macro expands within itself. */
#if N > 3
#define IF_3(it) it
#else
#define IF_3(it)
#endif
#if N > 4
#define IF_4(it) it
#else
#define IF_4(it)
#endif
#if N > 5
#define IF_5(it) it
#else
#define IF_5(it)
#endif
#define EACH(what, to) what(0, to) what(1, to) what(2, to) IF_3(what(3, to)) IF_4(what(4, to)) IF_5(what(5, to))
#define EVERY(what, to) what(0, to) what(1, to) what(2, to) IF_3(what(3, to)) IF_4(what(4, to)) IF_5(what(5, to))
#define ALL(what) what(0) what(1) what(2) IF_3(what(3)) IF_4(what(4)) IF_5(what(5))

/* A principal is a live member that no two neighbours in a list with its owner before it skip. */
#define PAST(one, m, k) (k >= R || !BETWEEN(LIST(one, k - 1), m, LIST(one, k)))
#define AND_NOT_SKIPPED(one, m) && (!LIVE(one) || (!BETWEEN(one, m, FIRST(one)) \
  && PAST(one, m, 1) && PAST(one, m, 2) && PAST(one, m, 3)))
#define PRINCIPAL(m) (LIVE(m) EACH(AND_NOT_SKIPPED, m))
#define PLUS_PRINCIPAL(m, unused) + PRINCIPAL(m)
#define PRINCIPALS (0 EVERY(PLUS_PRINCIPAL, 0))

/* Every other member keeps a live entry in its list, and a principal stays while there are no more than R + 1. */
#define LEFT(one, n, k) (k < R && LIST(one, k) != n && LIVE(LIST(one, k)))
#define AND_HAS_ONE_LEFT(one, n) && (one == n || !LIVE(one) \
  || LEFT(one, n, 0) || LEFT(one, n, 1) || LEFT(one, n, 2) || LEFT(one, n, 3))
#define MAY_FAIL(n) (LIVE(n) EACH(AND_HAS_ONE_LEFT, n) && (!PRINCIPAL(n) || PRINCIPALS > R + 1))

inline fail(n) {
  for (j : 0 .. R - 1) { LIST(n, j) = 0 }
  pred[n] = 0;
  saved[n] = 0;
  status[n] = ABSENT
}

/* Runs start with an ideal ring of at least R + 1 members. Who is absent is chosen one by one. */
#define MEMBER_OR_NOT(n) \
  if \
  :: status[n] = IDLE \
  :: absent < N - R - 1 -> absent++ \
  fi;

inline make_ideal() {
  for (i : 0 .. N - 1) {
    if
    :: LIVE(i) ->
      after = i;
      for (j : 0 .. R - 1) {
        do
        :: after = (after + 1) % N;
          if
          :: LIVE(after) -> break
          :: else
          fi
        od;
        LIST(i, j) = after
      }
      pred[FIRST(i)] = i
    :: else
    fi
  }
}

#define JOINS(via, n) :: d_step { MAY_JOIN(n, via) -> join(n, via) }
#define STEPS(n) \
  :: d_step { MAY_ASK_SUCCESSOR(n) -> ask_successor(n) } \
  :: d_step { MAY_ASK_SAVED(n) -> ask_saved(n) } \
  :: d_step { MAY_RECTIFY(n) -> rectify(n) } \
  :: d_step { MAY_FAIL(n) -> fail(n) } \
  EACH(JOINS, n)

init {
  atomic { ALL(MEMBER_OR_NOT) d_step { make_ideal(); after = 0 } };
  do
  ALL(STEPS)
  od
}
