! SPDX-License-Identifier: MIT
!> How far two models are apart: lengths of the difference forces of all atoms and outer steps, in a histogram.
module fennix_tally
   use fennix_kinds, only : dp, i4, i8
   use fennix_comm, only : comm_type, max_all, sum_all
   implicit none
   private
   public :: tally_type, add_step, largest_of, sum_tally, count_from, n_bins, bin_width

   !> Bins of equal width from zero; the last one holds all that is longer
   integer, parameter :: n_bins = 401
   !> kcal/mol/Å
   real(dp), parameter :: bin_width = 0.5_dp

   !> Of the atoms of one rank; the numbers of steps are the same on all
   type :: tally_type
      !> Atoms and steps in each bin
      integer(i8) :: counts(n_bins) = 0
      !> Outer steps looked at, the first and the last of them
      integer(i8) :: n_steps = 0, first_step = 0, last_step = 0
      !> Outer steps with an atom above the threshold, and those of them that were not written
      integer(i8) :: n_above = 0, n_skipped = 0
      !> Longest difference, kcal/mol/Å, its outer step, and the one-based global number of its atom, 0 before any
      real(dp) :: largest = 0.0_dp
      integer(i8) :: largest_step = 0, largest_atom = 0
   end type tally_type

contains


!> Length of the longest row, 0 without any
pure function largest_of(rows)
   !> (3, n)
   real(dp), intent(in) :: rows(:, :)
   real(dp) :: largest_of
   real(dp) :: square
   integer :: iat

   square = 0.0_dp
   do iat = 1, size(rows, 2)
      square = max(square, sum(rows(:, iat)**2))
   end do
   largest_of = sqrt(square)
end function largest_of


!> Count the difference forces of an outer step
pure subroutine add_step(self, step, id, difference)
   type(tally_type), intent(inout) :: self
   integer(i8), intent(in) :: step
   !> Zero-based global ids, (n)
   integer(i4), intent(in) :: id(:)
   !> kcal/mol/Å, (3, n)
   real(dp), intent(in) :: difference(:, :)
   real(dp) :: length
   integer :: iat, bin

   if (self%n_steps == 0) self%first_step = step
   self%n_steps = self%n_steps + 1
   self%last_step = step
   do iat = 1, size(id)
      length = sqrt(sum(difference(:, iat)**2))
      bin = 1 + int(min(length/bin_width, real(n_bins - 1, dp)))
      self%counts(bin) = self%counts(bin) + 1
      if (.not. length > self%largest) cycle
      self%largest = length
      self%largest_step = step
      self%largest_atom = id(iat) + 1
   end do
end subroutine add_step


!> The tallies of all ranks as one, whose numbers of steps are those of rank 0 there; all ranks call this together
function sum_tally(self, comm) result(total)
   type(tally_type), intent(in) :: self
   type(comm_type), intent(in) :: comm
   type(tally_type) :: total
   real(dp) :: counts(n_bins), place(1)
   logical :: is_here

   total = self
   if (comm%size == 1) return
   counts = real(self%counts, dp)
   call sum_all(comm, counts)
   total%counts = nint(counts, i8)
   place = self%largest
   call max_all(comm, place)
   total%largest = place(1)
   ! Of several that are as long the earliest, and of those the first atom
   is_here = self%largest_atom > 0 .and. self%largest >= place(1)
   place = merge(-real(self%largest_step, dp), -huge(1.0_dp), is_here)
   call max_all(comm, place)
   if (.not. place(1) > -huge(1.0_dp)) return
   total%largest_step = nint(-place(1), i8)
   is_here = is_here .and. self%largest_step == total%largest_step
   place = merge(-real(self%largest_atom, dp), -huge(1.0_dp), is_here)
   call max_all(comm, place)
   total%largest_atom = nint(-place(1), i8)
end function sum_tally


!> Atoms and steps in the bins from this length on, which must be the edge of one
pure function count_from(self, length) result(n)
   type(tally_type), intent(in) :: self
   !> kcal/mol/Å
   real(dp), intent(in) :: length
   integer(i8) :: n

   n = sum(self%counts(1 + nint(length/bin_width):))
end function count_from

end module fennix_tally
