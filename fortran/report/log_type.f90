! SPDX-License-Identifier: MIT
!> The log of a run: where it goes, and what it must remember between lines.
module fennix_log_type
   use, intrinsic :: iso_fortran_env, only : output_unit
   use fennix_kinds, only : dp, i8
   use fennix_averages, only : averages_type
   implicit none
   private
   public :: log_type, level_summary_type, say

   type :: log_type
      !> Fortran unit the log goes to
      integer :: unit = output_unit
      !> Print nothing, as in runs from Python
      logical :: quiet = .false.
      !> Outer steps between lines
      integer(i8) :: every = 100
      !> Outer time step, ps
      real(dp) :: dt = 0.0_dp
      !> Inner steps in an outer one
      integer :: n_substeps = 1
      logical :: two_level = .false.
      !> Ranks of the run
      integer :: n_ranks = 1
      !> Outer step at which this process began, and step and clock (s) at which the present call of run began
      integer(i8) :: process_step = -1, first_step = 0
      real(dp) :: first_seconds = 0.0_dp
      !> Outer step the present call of run is to reach, and the last one seen
      integer(i8) :: last_step = 0, step = 0
      !> Lines of the table since its head, negative before the first head
      integer :: n_lines = -1
      type(averages_type) :: averages
   end type log_type

   !> What the log says about a level at the start
   type :: level_summary_type
      !> The model in words
      character(len=:), allocatable :: label
      !> Range of the pair list, how far an atom's energy sees, and margin of the list, Å
      real(dp) :: cutoff = 0.0_dp, range = 0.0_dp, skin = 0.0_dp
      !> ps
      real(dp) :: time_step = 0.0_dp
      !> Entries of the pair list, both directions
      integer(i8) :: n_edges = 0
      !> How ranks see their surroundings, empty with one rank
      character(len=:), allocatable :: halo
      !> kcal/mol
      real(dp) :: energy = 0.0_dp
      !> Largest force, kcal/mol/Å, zero before the first evaluation, and its atom, one-based
      real(dp) :: largest_force = 0.0_dp
      integer :: largest_atom = 0
   end type level_summary_type

contains


!> Print one line (or several, separated by line ends) at once, unless quiet
subroutine say(self, text)
   type(log_type), intent(in) :: self
   character(len=*), intent(in) :: text

   if (self%quiet) return
   write(self%unit, "(a)") trim(text)
   flush(self%unit)
end subroutine say

end module fennix_log_type
