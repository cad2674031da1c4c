! SPDX-License-Identifier: MIT
!> The histogram of difference forces: edges of the bins, the open one, the largest and where it was.
module test_tally
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type
   use fennix_comm, only : new_serial_comm
   use fennix_tally, only : add_step, bin_width, count_from, largest_of, n_bins, sum_tally, tally_type
   use test_runner, only : check
   implicit none
   private
   public :: test_tally_bins, test_tally_largest, test_tally_nothing

contains


!> A length on an edge is of the bin that begins there; what is too long for all is of the last
subroutine test_tally_bins(error)
   type(error_type), allocatable, intent(out) :: error
   type(tally_type) :: tally
   real(dp) :: rows(3, 6)

   rows = 0.0_dp
   rows(1, :) = [0.0_dp, 0.499_dp, 0.5_dp, -30.0_dp, 200.0_dp, 1.0e9_dp]
   call add_step(tally, 4_i8, [0_i4, 1_i4, 2_i4, 3_i4, 4_i4, 5_i4], rows)
   call check(error, abs(bin_width - 0.5_dp) <= 0.0_dp .and. n_bins == 401, "0.5 wide, up to 200")
   call check(error, all(tally%counts([1, 2, 61, 401]) == [2_i8, 1_i8, 1_i8, 2_i8]), "each in its bin")
   call check(error, sum(tally%counts) == 6_i8, "all are counted once")
   call check(error, count_from(tally, 30.0_dp) == 3_i8 .and. count_from(tally, 30.5_dp) == 2_i8, "from 30 on")
   call check(error, count_from(tally, 0.0_dp) == 6_i8 .and. count_from(tally, 200.0_dp) == 2_i8, "all, the open bin")
end subroutine test_tally_bins


!> The longest row with its step and one-based number; the first of equals
subroutine test_tally_largest(error)
   type(error_type), allocatable, intent(out) :: error
   type(tally_type) :: tally, total
   real(dp) :: rows(3, 2)

   rows = reshape([3.0_dp, 0.0_dp, 4.0_dp, 0.0_dp, 1.0_dp, 0.0_dp], [3, 2])
   call check(error, abs(largest_of(rows) - 5.0_dp) < 1.0e-12_dp, "length")
   call add_step(tally, 7_i8, [5_i4, 9_i4], rows)
   call add_step(tally, 8_i8, [9_i4, 5_i4], rows)
   total = sum_tally(tally, new_serial_comm())
   call check(error, abs(total%largest - 5.0_dp) < 1.0e-12_dp, "largest")
   call check(error, total%largest_step == 7_i8 .and. total%largest_atom == 6_i8, "where")
   call check(error, total%n_steps == 2_i8 .and. total%first_step == 7_i8 .and. total%last_step == 8_i8, "steps")
   call add_step(tally, 9_i8, [9_i4, 5_i4], 2.0_dp*rows)
   call check(error, tally%largest_step == 9_i8 .and. tally%largest_atom == 10_i8, "a longer one")
end subroutine test_tally_largest


!> A rank without atoms
subroutine test_tally_nothing(error)
   type(error_type), allocatable, intent(out) :: error
   type(tally_type) :: tally
   real(dp) :: rows(3, 0)

   call check(error, abs(largest_of(rows)) <= 0.0_dp, "nothing is not far off")
   call add_step(tally, 1_i8, [integer(i4) :: ], rows)
   call check(error, tally%n_steps == 1_i8 .and. sum(tally%counts) == 0_i8 .and. tally%largest_atom == 0_i8, "nothing")
end subroutine test_tally_nothing

end module test_tally
