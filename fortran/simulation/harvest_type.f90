! SPDX-License-Identifier: MIT
!> What a harvest of outer steps remembers between them.
module fennix_harvest_type
   use fennix_kinds, only : dp, i4, i8
   use fennix_frames, only : frames_type
   use fennix_tally, only : tally_type
   implicit none
   private
   public :: harvest_type

   type :: harvest_type
      !> Outer steps are looked at, and NAME.holes.h5 is open on rank 0
      logical :: active = .false.
      !> Writer of NAME.holes.h5, on rank 0
      type(frames_type) :: holes
      !> Frames in the file, on all ranks
      integer(i8) :: n_frames = 0
      !> Of the atoms of this rank; what a checkpoint holds is on rank 0
      type(tally_type) :: tally
      !> Of a checkpoint, on rank 0: frames of the file that belong to the run, -1 none, and the threshold, kcal/mol/Å
      integer(i8) :: keep_frames = -1
      real(dp) :: kept_threshold = 0.0_dp
      !> The last outer step, of this rank's atoms, is kept until all ranks know whether it is wanted
      logical :: pending = .false.
      integer(i8) :: step = 0
      !> ps
      real(dp) :: time = 0.0_dp
      !> Global ids, (n); positions, Å, and accurate minus fast force, kcal/mol/Å, (3, n)
      integer(i4), allocatable :: id(:)
      real(dp), allocatable :: position(:, :), difference(:, :)
   end type harvest_type

end module fennix_harvest_type
