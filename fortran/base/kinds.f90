! SPDX-License-Identifier: MIT
!> Number kinds used throughout.
module fennix_kinds
   use, intrinsic :: iso_fortran_env, only : int32, int64, real64
   implicit none
   private
   public :: dp, i4, i8

   !> Working precision of all coordinates, forces and energies
   integer, parameter :: dp = real64
   !> Indices that cross the force seam (they are int32 on the C side)
   integer, parameter :: i4 = int32
   !> Step counters and seeds
   integer, parameter :: i8 = int64

end module fennix_kinds
