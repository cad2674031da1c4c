! SPDX-License-Identifier: MIT
!> Which processors this process may use.
module fennix_affinity
   use, intrinsic :: iso_c_binding, only : c_int, c_int64_t
   use fennix_kinds, only : i8
   implicit none
   private
   public :: affinity_count, affinity_mark

   interface
      function affinity_count_c() bind(c, name="fennix_affinity_count") result(n)
         import :: c_int
         implicit none
         integer(c_int) :: n
      end function affinity_count_c

      function affinity_mark_c() bind(c, name="fennix_affinity_mark") result(mark)
         import :: c_int64_t
         implicit none
         integer(c_int64_t) :: mark
      end function affinity_mark_c
   end interface

contains


!> How many processors, at least 1
function affinity_count()
   integer :: affinity_count

   affinity_count = max(1, int(affinity_count_c()))
end function affinity_count


!> A number that is the same for processes that may use the same processors
function affinity_mark()
   integer(i8) :: affinity_mark

   affinity_mark = int(affinity_mark_c(), i8)
end function affinity_mark

end module fennix_affinity
