/* Seven counters from 0 to 9: ten million states, sixty-three million transitions.
   One process, so that SPIN's state vector is as small as it can be. */

byte a, b, c, d, e, f, g;

init {
end: /* where all have arrived nothing is left to do: no error */
  do
  :: d_step { a < 9 -> a++ }
  :: d_step { b < 9 -> b++ }
  :: d_step { c < 9 -> c++ }
  :: d_step { d < 9 -> d++ }
  :: d_step { e < 9 -> e++ }
  :: d_step { f < 9 -> f++ }
  :: d_step { g < 9 -> g++ }
  od
}
